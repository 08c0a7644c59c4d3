import { createInternalSigner, internalHeader } from '@sluice/kit/internal-token'
import { silentLog } from '@sluice/kit/log'
import type { Principal } from '@sluice/kit/principal'
import { generatePrivateJwks, openSigningKeys, publicJwksOf } from '@sluice/kit/signing-keys'
import type { EventEnvelope, EventName, EventPayload } from '@sluice/schema/events'
import { freeEntitlements } from '@sluice/schema/events'
import { relayOperations } from '@sluice/schema/operations/relay'
import { redisChannels, redisKeys } from '@sluice/schema/redis'
import { expect, test, vi } from 'vitest'

import { createServer } from './server.ts'
import { openWorld, relayPrincipal, type World, waitMs } from './testing/world.ts'
import { startTunnel } from './tunnel/start-tunnel.ts'

const jwks = await generatePrivateJwks(1)
const signer = createInternalSigner(await openSigningKeys(jwks))

async function openServer(world: World) {
  const server = await createServer({
    databaseUrl: world.db.url,
    redisUrl: world.redisUrl,
    signingJwks: jwks,
    internalPublicJwks: publicJwksOf(jwks),
    port: 0,
    log: silentLog,
  })
  const ask = async (
    principal: Principal | null,
    query: string,
    variables: Record<string, unknown> = {},
  ) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(principal ? { [internalHeader]: await signer.headerFor(principal, 'tunnels') } : {}),
      },
      body: JSON.stringify({ query, variables }),
    })
    const body = (await response.json()) as {
      data?: Record<string, unknown>
      errors?: { extensions: { code: string } }[]
    }
    return { status: response.status, ...body }
  }
  return { ...server, ask, [Symbol.asyncDispose]: () => server.close() }
}

async function tell<N extends EventName>(
  { redis }: World,
  name: N,
  entity: string,
  version: number,
  payload: EventPayload<N>,
) {
  const occurredAt = new Date().toISOString()
  const id = crypto.randomUUID()
  const envelope: EventEnvelope = { id, name, entity, version, occurredAt, payload }
  await redis.xadd(redisKeys.events, '*', 'event', JSON.stringify(envelope))
}

const create = `mutation($id: ID!, $name: String) {
  createTunnel(organizationId: $id, input: { name: $name }) { id endpointHost urls status owner { id } }
}`

test('a call without the gateway’s header is refused, the contract included', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)

  const answers = await Promise.all([
    server.ask(null, '{ regions { id } }'),
    server.ask(null, '{ _service { sdl } }'),
  ])

  expect(answers.map(({ status }) => status)).toEqual([401, 401])
})

test('a change of entitlements arrives and holds at once', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)
  const { id, member } = world.acme
  const entitlements = { ...freeEntitlements, maxTunnels: 1 }

  await tell(world, 'entitlements.changed', `organization:${id}`, 1, {
    organizationId: id,
    planId: 'tiny',
    entitlements,
  })
  await vi.waitFor(async () => {
    const [row] = await world.em().execute(`select plan_id from tunnels.organization`)
    expect(row).toEqual({ plan_id: 'tiny' })
  }, waitMs)
  const first = await server.ask(member, create, { id })
  const second = await server.ask(member, create, { id })

  expect(first.errors).toBeUndefined()
  expect(second.errors?.[0]?.extensions.code).toBe('SLUICE_TUNNELS_MAX')
})

test('a made tunnel is told to the other parts', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)
  const { id, member } = world.acme

  const made = await server.ask(member, create, { id, name: 'shop' })

  expect(made.data?.['createTunnel']).toMatchObject({
    endpointHost: 'shop.tunnel.localhost',
    urls: ['http://shop.tunnel.localhost:8080'],
    status: 'STOPPED',
    owner: { id: member.userId },
  })
  await vi.waitFor(async () => {
    const entries = await world.redis.xrange(redisKeys.events, '-', '+')
    expect(JSON.stringify(entries)).toContain('tunnel.created')
  }, waitMs)
})

test('relays know a custom domain once it is attached, and forget it once it is detached', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)
  const { id: organizationId, member } = world.acme
  const made = await server.ask(member, create, { id: organizationId, name: 'shop' })
  const tunnelId = (made.data?.['createTunnel'] as { id: string } | undefined)?.id ?? ''
  const domainId = crypto.randomUUID()
  const domain = 'www.acme.test'
  const known = () => world.redis.hget(redisKeys.endpointHosts, domain)

  const attached = { organizationId, domainId, domain, tunnelId }
  await tell(world, 'domain.attached', `domain:${domainId}`, 1, attached)
  await vi.waitFor(async () => expect(await known()).toBe(tunnelId), waitMs)
  const detached = { organizationId, domainId, domain }
  await tell(world, 'domain.detached', `domain:${domainId}`, 2, detached)
  await vi.waitFor(async () => expect(await known()).toBeNull(), waitMs)
})

test('a Redis that lost everything learns every endpoint host again', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)
  await server.ask(world.acme.member, create, { id: world.acme.id, name: 'shop' })

  await world.redis.flushdb()
  // Made before the loss is noticed: its host alone does not pass for all of them.
  await server.ask(world.acme.member, create, { id: world.acme.id, name: 'late' })

  await vi.waitFor(
    async () =>
      expect(Object.keys(await world.redis.hgetall(redisKeys.endpointHosts)).toSorted()).toEqual([
        'late.tunnel.localhost',
        'shop.tunnel.localhost',
      ]),
    { timeout: waitMs, interval: 100 },
  )
  await vi.waitFor(
    async () => expect(await world.redis.exists(redisKeys.endpointHostsComplete)).toBe(1),
    waitMs,
  )
})

test('a relay that Redis cannot answer hears which hosts exist, and nobody else does', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)
  const { id, member } = world.acme
  const made = await server.ask(member, create, { id, name: 'shop' })
  const tunnelId = (made.data?.['createTunnel'] as { id: string } | undefined)?.id ?? ''
  const domainId = crypto.randomUUID()
  const attached = { organizationId: id, domainId, domain: 'www.acme.test', tunnelId }
  await tell(world, 'domain.attached', `domain:${domainId}`, 1, attached)
  const exists = (endpointHost: string, principal = relayPrincipal) =>
    server.ask(principal, relayOperations.hostExists, { endpointHost })

  await vi.waitFor(
    async () => expect((await exists('www.acme.test')).data).toEqual({ relayHostExists: true }),
    waitMs,
  )
  expect((await exists('shop.tunnel.localhost')).data).toEqual({ relayHostExists: true })
  expect((await exists('none.tunnel.localhost')).data).toEqual({ relayHostExists: false })
  expect((await exists('shop.tunnel.localhost', member)).errors?.[0]?.extensions['code']).toBe(
    'SLUICE_RELAY_KEY_INVALID',
  )
})

test('a relay registers, an agent starts, and both see the same addresses', async () => {
  await using world = await openWorld()
  await using server = await openServer(world)
  const registered = await server.ask(
    relayPrincipal,
    `mutation($input: RelayInput!) { registerRelay(input: $input) { id status } }`,
    {
      input: {
        id: 'relay-1',
        region: 'eu',
        edgeUrl: 'wss://edge.sluice.test/_sluice/session',
        publicHttpUrl: 'https://sluice.test',
        version: '0.1.0',
        capacity: 100,
      },
    },
  )
  const started = await server.ask(
    world.acme.member,
    `mutation { startTunnel(input: { name: "shop" }) { urls edgeUrls tunnel { urls region status } grant { epoch } } }`,
  )

  expect(registered.data).toEqual({ registerRelay: { id: 'relay-1', status: 'READY' } })
  expect(started.data).toEqual({
    startTunnel: {
      urls: ['https://shop.sluice.test'],
      edgeUrls: ['wss://edge.sluice.test/_sluice/session'],
      tunnel: { urls: ['https://shop.sluice.test'], region: 'eu', status: 'OFFLINE' },
      grant: { epoch: 1 },
    },
  })
})

test('another plan and another domain are told to relays, so that open sessions follow', async () => {
  await using world = await openWorld()
  await world.relay()
  await using server = await openServer(world)
  const { tunnel } = await startTunnel(world.acme.as(), {})
  let told = Promise.withResolvers<string>()
  await world.parts.hub.subscribe(redisChannels.tunnelChanges, (message) => told.resolve(message))
  const organizationId = world.acme.id

  const entitlements = { ...freeEntitlements, maxConcurrentConnections: 500 }
  const plan = { organizationId, planId: 'pro', entitlements }
  await tell(world, 'entitlements.changed', `organization:${organizationId}`, 1, plan)
  expect(JSON.parse(await told.promise)).toEqual({ tunnelId: tunnel.id })

  told = Promise.withResolvers()
  const domainId = crypto.randomUUID()
  const domain = { organizationId, domainId, domain: 'app.example.test', tunnelId: tunnel.id }
  await tell(world, 'domain.attached', `domain:${domainId}`, 1, domain)
  expect(JSON.parse(await told.promise)).toEqual({ tunnelId: tunnel.id })
  expect(server.port).toBeGreaterThan(0)
})
