import type { Principal } from '@sluice/kit/principal'
import { membershipOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { memberPrincipal } from './testing/principals.ts'
import { subscribed } from './testing/received.ts'
import { createWorld, type World } from './testing/world.ts'

const joined = `subscription ($id: ID!, $after: ID) {
  events(tunnelId: $id, after: $after) { n tunnel { name domain } organization { name } }
}`
const personal = 'subscription ($id: ID!) { events(tunnelId: $id) { n tunnel { owner { name } } } }'

/** Another person with the same memberships. */
const colleagueOf = ({ memberships }: Principal): Principal => ({
  ...memberPrincipal(),
  memberships,
})

const follow = (
  world: World,
  principal: Principal,
  query = joined,
  variables: object = { id: 't1' },
) => subscribed(world.client(world.signIn(principal)), query, variables as Record<string, unknown>)

/** Resolves when this many clients are subscribed, whatever is shared. */
async function subscriptions(world: World, count: number): Promise<void> {
  const figure = async () =>
    /^sluice_gateway_subscriptions\S* (\d+)$/m.exec(await world.figures())?.[1]
  await expect.poll(figure, { timeout: 10_000 }).toBe(String(count))
}

test('an event is joined once for all who see the same, however many they are', async () => {
  await using world = await createWorld({ metricsPort: 0 })
  const ada = memberPrincipal()
  const everybody = Array.from({ length: 20 }, (_none, index) =>
    follow(world, index % 2 === 0 ? ada : colleagueOf(ada)),
  )
  await subscriptions(world, 20)
  expect(world.live.size).toBe(1)

  world.emit({ n: 1, tunnelId: 't7' })

  for (const received of everybody) {
    expect((await received.next()).data).toMatchObject({
      events: {
        n: 1,
        tunnel: { domain: 't7.example.test' },
        organization: { name: 'organization o1' },
      },
    })
  }
  const calls = world.calls.filter(
    ({ field }) => field.endsWith('Tunnel') || field === 'Organization',
  )
  expect(calls.map(({ field }) => field).toSorted()).toEqual(['Organization', 'domains.Tunnel'])
})

test.for([
  [
    'another role',
    ({ memberships: [own] }: Principal) => [membershipOf(own?.organizationId ?? '', 'VIEWER')],
  ],
  [
    'one permission less',
    ({ memberships }: Principal) =>
      memberships.map((own) => ({ ...own, permissions: own.permissions & (own.permissions - 1) })),
  ],
  [
    'a further organization',
    ({ memberships }: Principal) => [...memberships, membershipOf(crypto.randomUUID(), 'VIEWER')],
  ],
  ['another organization', () => memberPrincipal().memberships],
] as const)('%s is not the same view', async ([, membershipsOf]) => {
  await using world = await createWorld({ metricsPort: 0 })
  const ada = memberPrincipal()
  const memberships = membershipsOf(ada)
  follow(world, ada)
  follow(world, { ...memberPrincipal(), memberships })

  await expect(world.lives(2)).resolves.toBeUndefined()
})

test('what depends on the person is shared with nobody', async () => {
  await using world = await createWorld({ metricsPort: 0 })
  const ada = memberPrincipal()
  follow(world, ada, personal)
  follow(world, colleagueOf(ada), personal)
  await expect(world.lives(2)).resolves.toBeUndefined()
})

test('who continues from a cursor has a stream of their own, who names none has not', async () => {
  await using world = await createWorld({ metricsPort: 0 })
  const ada = memberPrincipal()
  const live = follow(world, ada, joined, { id: 't1', after: null })
  follow(world, ada)
  follow(world, ada, joined, { id: 't1', after: 'e1' })
  follow(world, ada, joined, { id: 't1', after: 'e1' })
  await subscriptions(world, 4)
  await expect(world.lives(3)).resolves.toBeUndefined()
  live.cancel()
})

test('when the first of them goes the others go on, as themselves', async () => {
  await using world = await createWorld({ metricsPort: 0 })
  const ada = memberPrincipal()
  const grace = colleagueOf(ada)
  const first = follow(world, ada)
  await world.lives(1)
  const second = follow(world, grace)
  await subscriptions(world, 2)

  await world.revoke({ kind: 'user', id: ada.id })
  expect(await first.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
  })
  world.emit({ n: 2 })

  expect((await second.next()).data).toMatchObject({ events: { n: 2 } })
  const asked = world.calls.filter(({ field }) => field === 'domains.Tunnel')
  expect(asked.map(({ principalId }) => principalId)).toEqual([grace.id])
  second.cancel()
  await world.lives(0)
})

test('one who stops reading loses events alone, and is told how many', async () => {
  await using world = await createWorld({
    metricsPort: 0,
    limits: { eventsQueuedMax: 10, socketBufferBytesMax: 1 },
  })
  const token = world.signIn()
  const query = 'subscription { events(tunnelId: "t1") { n text } }'
  const neighbour = subscribed(world.client(token), query)
  await world.lives(1)
  const slow = world.socket()
  const send = (message: object) => slow.send(JSON.stringify(message))
  await new Promise((resolve) => slow.once('open', resolve))
  send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })
  await new Promise((resolve) => slow.once('message', resolve))
  send({ id: '1', type: 'subscribe', payload: { query } })
  await subscriptions(world, 2)
  expect(world.live.size).toBe(1)
  const events = 300

  slow.pause()
  for (let n = 0; n < events; n += 1) {
    world.emit({ n, text: 'x'.repeat(100_000) })
    const { data, extensions } = await neighbour.next()
    expect(data).toMatchObject({ events: { n } })
    expect(extensions).toBeUndefined()
  }
  const seen: { n: number; missed: number }[] = []
  slow.on('message', (message: Buffer) => {
    const { payload } = JSON.parse(message.toString()) as {
      payload: { data: { events: { n: number } }; extensions?: { gap?: { missed: number } } }
    }
    seen.push({ n: payload.data.events.n, missed: payload.extensions?.gap?.missed ?? 0 })
  })
  slow.resume()

  await expect.poll(() => seen.at(-1)?.n, { timeout: 10_000 }).toBe(events - 1)
  const missed = seen.reduce((sum, one) => sum + one.missed, 0)
  expect(missed).toBeGreaterThan(0)
  expect(seen.length + missed).toBe(events)
})

test('events that come together ask each subgraph once for all their entities', async () => {
  await using world = await createWorld({ metricsPort: 0, limits: { joinWindow: 8 } })
  const received = follow(world, memberPrincipal())
  await world.lives(1)
  const requests = await requestsTo(world, 'domains')

  for (let n = 0; n < 8; n += 1) world.emit({ n, tunnelId: `t${n}` })
  for (let n = 0; n < 8; n += 1) {
    expect((await received.next()).data).toMatchObject({
      events: { n, tunnel: { domain: `t${n}.example.test` } },
    })
  }

  const entities = world.calls.filter(({ field }) => field === 'domains.Tunnel')
  expect(entities.length).toBe(8)
  expect((await requestsTo(world, 'domains')) - requests).toBeLessThan(8)
})

/** How often the gateway has asked a subgraph. */
async function requestsTo(world: World, subgraph: string): Promise<number> {
  const line = new RegExp(
    `^sluice_gateway_subgraph_requests_total\\{subgraph="${subgraph}".* (\\d+)$`,
    'm',
  )
  return Number(line.exec(await world.figures())?.[1] ?? 0)
}
