import { createInternalSigner, internalHeader } from '@sluice/kit/internal-token'
import { silentLog } from '@sluice/kit/log'
import { generatePrivateJwks, openSigningKeys, publicJwksOf } from '@sluice/kit/signing-keys'
import { memberOf, openTestRedis } from '@sluice/kit/testing'
import { EventEnvelope } from '@sluice/schema/events'
import { CertificateChange, redisChannels, redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { createServer } from './server.ts'
import { createAuthority } from './testing/certificate.ts'
import { cnameTarget, createWorld } from './testing/world.ts'

async function createServerWorld() {
  const world = await createWorld()
  const redisServer = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(redisServer.url)
  const keys = await generatePrivateJwks(1)
  const signer = createInternalSigner(await openSigningKeys(keys))
  const server = await createServer({
    databaseUrl: world.db.url,
    redisUrl: redisServer.url,
    internalPublicJwks: publicJwksOf(keys),
    port: 0,
    log: silentLog,
    cnameTarget,
    ownApexes: ['tunnel.sluice.test'],
    dnsServers: [world.dns.address],
    sealingKeys: [world.sealingKey],
  })
  onTestFinished(async () => {
    await server.close()
    redis.disconnect()
    await redisServer[Symbol.asyncDispose]()
  })
  const address = `http://127.0.0.1:${server.port}`
  return {
    ...world,
    address,
    /** Asks as an owner of Acme. */
    ask: async (query: string, variables: Record<string, unknown>) => {
      const response = await fetch(`${address}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [internalHeader]: await signer.headerFor(memberOf(world.acme), 'domains'),
        },
        body: JSON.stringify({ query, variables }),
      })
      return (await response.json()) as {
        data: Record<string, Record<string, string>> | null
        errors?: { extensions: { code: string } }[]
      }
    },
    tell: async (name: 'tunnel.created' | 'tunnel.deleted', version: number, tunnelId: string) => {
      const envelope: EventEnvelope = {
        id: crypto.randomUUID(),
        name,
        entity: `tunnel:${tunnelId}`,
        version,
        occurredAt: new Date().toISOString(),
        payload: { organizationId: world.acme, tunnelId, endpointHost: 'a.tunnel.sluice.test' },
      }
      await redis.xadd(redisKeys.events, '*', 'event', JSON.stringify(envelope))
    },
    /** Listens on a channel; the first message comes later. */
    listen: async (channel: string) => {
      const subscriber = redis.duplicate()
      onTestFinished(() => subscriber.disconnect())
      const first = new Promise<string>((resolve) =>
        subscriber.once('message', (_channel, message: string) => resolve(message)),
      )
      await subscriber.subscribe(channel)
      return { first }
    },
    /** Waits for an event of this subgraph on the stream. */
    hears: async (name: string): Promise<EventEnvelope> => {
      const reader = redis.duplicate()
      try {
        for (let after = '0'; ;) {
          const read = await reader.xread('BLOCK', 10_000, 'STREAMS', redisKeys.events, after)
          for (const [id, fields] of read?.[0]?.[1] ?? []) {
            after = id
            const event = EventEnvelope.parse(JSON.parse(fields[1] ?? ''))
            if (event.name === name) return event
          }
        }
      } finally {
        reader.disconnect()
      }
    },
  }
}

const attach =
  'mutation ($id: ID!, $tunnelId: ID!) { attachCustomDomain(id: $id, tunnelId: $tunnelId) { tunnel { id } } }'

/** Asks again until a change that is under way has arrived. */
async function eventually<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (good(answer)) return answer
  }
}

test('a tunnel told by an event can be attached, and its deletion detaches', async () => {
  const { ask, tell, hears, verified, acme } = await createServerWorld()
  const { id } = await verified(acme, 'app.example.com')
  const tunnelId = crypto.randomUUID()

  await tell('tunnel.created', 1, tunnelId)
  const attached = await eventually(
    () => ask(attach, { id, tunnelId }),
    ({ errors }) => errors === undefined,
  )
  const told = await hears('domain.attached')
  await tell('tunnel.deleted', 2, tunnelId)
  const ended = await hears('domain.detached')
  const after = await ask('query ($id: ID!) { customDomain(id: $id) { tunnel { id } } }', { id })

  expect(attached.data).toEqual({ attachCustomDomain: { tunnel: { id: tunnelId } } })
  expect(told).toMatchObject({ entity: `domain:${id}`, payload: { domainId: id, tunnelId } })
  expect(ended.version).toBeGreaterThan(told.version)
  expect(after.data).toEqual({ customDomain: { tunnel: null } })
})

test('a tunnel whose creation is heard after its deletion stays unknown', async () => {
  const { ask, tell, verified, acme } = await createServerWorld()
  const { id } = await verified(acme, 'app.example.com')
  const [late, next] = [crypto.randomUUID(), crypto.randomUUID()]

  await tell('tunnel.deleted', 2, late)
  await tell('tunnel.created', 1, late)
  await tell('tunnel.created', 3, next)
  await eventually(
    () => ask(attach, { id, tunnelId: next }),
    ({ errors }) => errors === undefined,
  )
  const refused = await ask(attach, { id, tunnelId: late })

  expect(refused.errors?.[0]?.extensions.code).toBe('SLUICE_TUNNEL_NOT_FOUND')
})

test('relays are told at once of a certificate that was set', async () => {
  const { ask, verified, acme, listen } = await createServerWorld()
  const { id } = await verified(acme, 'app.example.com')
  const heard = await listen(redisChannels.certificates)
  const authority = createAuthority()
  const { cert, key } = authority.issue('app.example.com', { from: -1, to: 60 })

  const answer = await ask(
    `mutation ($id: ID!, $chain: String!, $privateKey: String!) {
      setDomainCertificate(id: $id, chain: $chain, privateKey: $privateKey) { certificate { issuer names } } }`,
    { id, chain: cert, privateKey: String(key) },
  )

  expect(answer.data).toEqual({
    setDomainCertificate: {
      certificate: { issuer: 'Sluice Test Authority', names: ['app.example.com'] },
    },
  })
  expect(CertificateChange.parse(JSON.parse(await heard.first))).toEqual({
    domain: 'app.example.com',
  })
})

test('whoever comes without the gateway’s header is refused', async () => {
  const { address } = await createServerWorld()

  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  })

  expect(response.status).toBe(401)
  expect((await fetch(`${address}/readyz`)).status).toBe(200)
})
