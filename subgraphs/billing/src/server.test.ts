import { createInternalSigner, internalHeader } from '@sluice/kit/internal-token'
import { silentLog } from '@sluice/kit/log'
import type { Principal } from '@sluice/kit/principal'
import { generatePrivateJwks, openSigningKeys, publicJwksOf } from '@sluice/kit/signing-keys'
import { memberOf, openTestRedis } from '@sluice/kit/testing'
import { EventEnvelope, type EventName } from '@sluice/schema/events'
import { redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { createServer } from './server.ts'
import { createWorld } from './testing/world.ts'

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
  })
  onTestFinished(async () => {
    await server.close()
    redis.disconnect()
    await redisServer[Symbol.asyncDispose]()
  })
  const address = `http://127.0.0.1:${server.port}`
  return {
    ...world,
    redis,
    address,
    ask: async (principal: Principal, query: string, variables: Record<string, unknown>) => {
      const response = await fetch(`${address}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [internalHeader]: await signer.headerFor(principal, 'billing'),
        },
        body: JSON.stringify({ query, variables }),
      })
      return (await response.json()) as {
        data: Record<string, unknown> | null
        errors?: { extensions: { code: string } }[]
      }
    },
    tell: async (name: EventName, entity: string, version: number, payload: object) => {
      const envelope: EventEnvelope = {
        id: crypto.randomUUID(),
        name,
        entity,
        version,
        occurredAt: new Date().toISOString(),
        payload,
      }
      await redis.xadd(redisKeys.events, '*', 'event', JSON.stringify(envelope))
    },
    /** Waits for `count` changes of entitlements on the stream. */
    hears: async (count: number): Promise<EventEnvelope[]> => {
      const reader = redis.duplicate()
      const heard: EventEnvelope[] = []
      try {
        for (let after = '0'; heard.length < count;) {
          const read = await reader.xread('BLOCK', 10_000, 'STREAMS', redisKeys.events, after)
          for (const [id, fields] of read?.[0]?.[1] ?? []) {
            after = id
            const event = EventEnvelope.parse(JSON.parse(fields[1] ?? ''))
            if (event.name === 'entitlements.changed') heard.push(event)
          }
        }
        return heard
      } finally {
        reader.disconnect()
      }
    },
  }
}

test('a new organization is told what it may do, and again when staff change its plan', async () => {
  const { acme, tell, hears, ask } = await createServerWorld()
  const admin = { ...memberOf(acme), memberships: [], isAdmin: true }

  await tell('organization.created', `organization:${acme}`, 1, {
    organizationId: acme,
    name: 'Acme',
    createdBy: crypto.randomUUID(),
  })
  await hears(1)
  const changed = await ask(
    admin,
    'mutation ($id: ID!) { changePlan(organizationId: $id, planId: "pro") { plan { id } } }',
    { id: acme },
  )
  const told = await hears(2)

  expect(changed.data).toEqual({ changePlan: { plan: { id: 'pro' } } })
  expect(told).toMatchObject([
    { entity: `organization:${acme}`, payload: { planId: 'free' } },
    { entity: `organization:${acme}`, payload: { planId: 'pro' } },
  ])
  expect(told[1]?.version).toBeGreaterThan(told[0]?.version ?? 0)
})

test('tunnels are counted as they come and go, in whatever order it is heard', async () => {
  const { acme, tell, ask } = await createServerWorld()
  const [kept, gone] = [crypto.randomUUID(), crypto.randomUUID()]
  const payload = (tunnelId: string) => ({
    organizationId: acme,
    tunnelId,
    endpointHost: 'a.tunnel.sluice.test',
  })
  const used = async () => {
    const { data } = await ask(
      memberOf(acme),
      `query ($representations: [_Any!]!) { _entities(representations: $representations) {
        ... on Organization { usage { tunnels { used } } } } }`,
      { representations: [{ __typename: 'Organization', id: acme }] },
    )
    return JSON.stringify(data)
  }

  await tell('tunnel.deleted', `tunnel:${gone}`, 2, payload(gone))
  await tell('tunnel.created', `tunnel:${gone}`, 1, payload(gone))
  await tell('tunnel.created', `tunnel:${kept}`, 3, payload(kept))
  let seen = await used()
  while (!seen.includes('1')) seen = await used()

  expect(seen).toBe('{"_entities":[{"usage":{"tunnels":{"used":1}}}]}')
})

test('whoever comes without the gateway’s header is refused', async () => {
  const { address } = await createServerWorld()

  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ plans { id } }' }),
  })

  expect(response.status).toBe(401)
  expect((await fetch(`${address}/readyz`)).status).toBe(200)
})
