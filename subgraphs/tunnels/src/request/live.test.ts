import { authtokenOf } from '@sluice/kit/testing'
import { SluiceError } from '@sluice/schema/errors'
import { redisChannels, type RequestRecord } from '@sluice/schema/redis'
import { expect, test } from 'vitest'

import { openWorld, recordOf, type World } from '../testing/world.ts'
import { createTunnel } from '../tunnel/create-tunnel.ts'
import { storeRequests } from './store-requests.ts'

const captured = `subscription($organizationId: ID!, $tunnelId: ID, $after: String) {
  requestCaptured(organizationId: $organizationId, tunnelId: $tunnelId, after: $after) {
    cursor missed request { path tunnel { name } }
  }
}`
const traffic = `subscription($tunnelId: ID!) {
  trafficEvents(tunnelId: $tunnelId) {
    cursor missed request { path startedAt requestHeaders { name value } tunnel { name } } tunnel { id }
  }
}`

interface Captured {
  cursor: string
  missed: number
  request: { path: string; tunnel: { name: string } }
}

async function take(events: AsyncIterableIterator<unknown>, count: number): Promise<Captured[]> {
  const taken: Captured[] = []
  while (taken.length < count) {
    const { value } = (await events.next()) as { value: { data: Record<string, Captured> } }
    const [event] = Object.values(value.data)
    if (event) taken.push(event)
  }
  return taken
}

const pathsOf = (events: Captured[]) => events.map(({ request }) => request.path)

async function oneTunnel(world: World) {
  const tunnel = await createTunnel(world.acme.as(), world.acme.id, { name: 'app' })
  const record = (path: string, fields: Partial<RequestRecord> = {}) =>
    recordOf(world.acme.id, tunnel.id, { path, ...fields })
  const store = (...paths: string[]) =>
    storeRequests(
      world.jobDeps,
      paths.map((path) => record(path)),
    )
  const publish = (...records: RequestRecord[]) =>
    world.redis.publish(redisChannels.traffic(tunnel.id), JSON.stringify(records))
  return { tunnel, record, store, publish }
}

test('a cursor that no request ever had is refused with its code', async () => {
  await using world = await openWorld()
  const { id: organizationId, member } = world.acme
  const beyond = Buffer.from('s:9999999999999999999').toString('base64url')

  const refused = world.follow(member, captured, { organizationId, after: beyond })

  await expect(refused).rejects.toThrow(new SluiceError('SLUICE_CURSOR_INVALID').message)
})

test('stored requests arrive as they are stored, joined with their tunnel', async () => {
  await using world = await openWorld()
  const { store } = await oneTunnel(world)
  await store('/before')
  const events = await world.follow(world.acme.member, captured, { organizationId: world.acme.id })
  const first = take(events, 2)

  await store('/1')
  await store('/2')

  expect(pathsOf(await first)).toEqual(['/1', '/2'])
  expect((await first)[0]?.request.tunnel.name).toBe('app')
})

test('a reader that comes back with its cursor loses nothing and sees nothing twice', async () => {
  await using world = await openWorld()
  const { store, record } = await oneTunnel(world)
  const variables = { organizationId: world.acme.id }
  const before = await world.follow(world.acme.member, captured, variables)
  await store('/1', '/2')
  const [, second] = await take(before, 2)
  await before.return?.()

  // What ended while nobody listened, among it one that began before all others.
  await store('/3')
  const late = record('/4 began first', {
    startedAt: new Date(Date.now() - 3_600_000).toISOString(),
  })
  await storeRequests(world.jobDeps, [late])
  const after = await world.follow(world.acme.member, captured, {
    ...variables,
    after: second?.cursor,
  })
  await store('/5')
  const resumed = await take(after, 3)

  expect(pathsOf(resumed)).toEqual(['/3', '/4 began first', '/5'])
})

test('nothing falls between replay and live while many store at once', async () => {
  await using world = await openWorld()
  const { store } = await oneTunnel(world)
  await store('/start')
  const storing = Array.from({ length: 30 }, (_none, n) => store(`/${n}a`, `/${n}b`))
  const list = await world.ask(
    world.acme.member,
    `query($id: ID!) { _entities(representations: [{ __typename: "Organization", id: $id }]) {
      ... on Organization { requests(first: 100) { edges { cursor node { path } } } } } }`,
    { id: world.acme.id },
  )
  const entities = list.data?.['_entities'] as {
    requests: { edges: { cursor: string; node: { path: string } }[] }
  }[]
  const oldest = entities[0]?.requests.edges.find(({ node }) => node.path === '/start')

  const events = await world.follow(world.acme.member, captured, {
    organizationId: world.acme.id,
    after: oldest?.cursor,
  })
  const seen = pathsOf(await take(events, 60))
  await Promise.all(storing)

  expect(new Set(seen).size).toBe(60)
})

test('a message that Redis lost delays a stored request and does not lose it', async () => {
  await using world = await openWorld()
  const { store } = await oneTunnel(world)
  const events = await world.follow(world.acme.member, captured, { organizationId: world.acme.id })
  const event = take(events, 1)
  world.redis.disconnect()

  await store('/unheard')

  expect(pathsOf(await event)).toEqual(['/unheard'])
})

test('the log of one tunnel can be followed alone', async () => {
  await using world = await openWorld()
  const { store } = await oneTunnel(world)
  const other = await createTunnel(world.acme.as(), world.acme.id, {})
  const events = await world.follow(world.acme.member, captured, {
    organizationId: world.acme.id,
    tunnelId: other.id,
  })

  await store('/of app')
  await storeRequests(world.jobDeps, [recordOf(world.acme.id, other.id, { path: '/of other' })])

  expect(pathsOf(await take(events, 1))).toEqual(['/of other'])
})

test('a live request shows before it is stored, with its tunnel', async () => {
  await using world = await openWorld()
  const { tunnel, record, publish } = await oneTunnel(world)
  const events = await world.follow(world.acme.member, traffic, { tunnelId: tunnel.id })
  const live = record('/live')

  await publish(live)

  expect((await take(events, 1))[0]).toEqual({
    cursor: live.id,
    missed: 0,
    request: {
      path: '/live',
      startedAt: live.startedAt,
      requestHeaders: [{ name: 'host', value: 'app.tunnel.localhost' }],
      tunnel: { name: 'app' },
    },
    tunnel: { id: tunnel.id },
  })
})

test('a slow reader misses the oldest, is told how many, and slows nobody', async () => {
  await using world = await openWorld()
  const { tunnel, record, publish } = await oneTunnel(world)
  const slow = await world.follow(world.acme.member, traffic, { tunnelId: tunnel.id })
  const quick = await world.follow(world.acme.member, traffic, { tunnelId: tunnel.id })

  const reading = take(quick, 700)
  for (let from = 0; from < 700; from += 100) {
    await publish(...Array.from({ length: 100 }, (_none, n) => record(`/${from + n}`)))
  }
  const read = await reading
  const late = await take(slow, 2)

  expect(read.every(({ missed }) => missed === 0)).toBe(true)
  expect(late.map(({ missed, request }) => [missed, request.path])).toEqual([
    [200, '/200'],
    [0, '/201'],
  ])
})

test('what is no record, or names another organization, is not shown', async () => {
  await using world = await openWorld()
  const { tunnel, record, publish } = await oneTunnel(world)
  const events = await world.follow(world.acme.member, traffic, { tunnelId: tunnel.id })

  await world.redis.publish(redisChannels.traffic(tunnel.id), '{"no":"records"}')
  await publish(record('/foreign', { organizationId: world.globex.id }), record('/own'))

  expect(pathsOf(await take(events, 1))).toEqual(['/own'])
})

test('neither a stranger nor an authtoken without the scope follows requests', async () => {
  await using world = await openWorld()
  const { tunnel } = await oneTunnel(world)
  const organizationId = world.acme.id
  const scoped = authtokenOf(organizationId, ['TUNNELS_READ'])
  const { member } = world.globex

  await expect(world.follow(member, traffic, { tunnelId: tunnel.id })).rejects.toThrow(
    'There is no such tunnel.',
  )
  await expect(world.follow(scoped, traffic, { tunnelId: tunnel.id })).rejects.toThrow(
    'You may not do this.',
  )
  await expect(world.follow(member, captured, { organizationId })).rejects.toThrow(
    'There is no such organization.',
  )
  await expect(
    world.follow(member, captured, { organizationId: world.globex.id, tunnelId: tunnel.id }),
  ).rejects.toThrow('There is no such tunnel.')
})

test('a reader that leaves takes its listener along', async () => {
  await using world = await openWorld()
  const { tunnel } = await oneTunnel(world)
  const channel = redisChannels.traffic(tunnel.id)
  const events = await world.follow(world.acme.member, traffic, { tunnelId: tunnel.id })
  const pending = events.next()

  await events.return?.()

  expect(await pending).toMatchObject({ done: true })
  await expect.poll(async () => world.redis.pubsub('NUMSUB', channel)).toEqual([channel, 0])
})
