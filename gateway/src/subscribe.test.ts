import { expect, test } from 'vitest'

import { fixtureSdl } from './testing/fixture-subgraphs.ts'
import { memberPrincipal } from './testing/principals.ts'
import { subscribed } from './testing/received.ts'
import { composed, createWorld, type World } from './testing/world.ts'

const joined = `subscription ($id: ID!) {
  events(tunnelId: $id) { n tunnel { name domain computed } organization { name } }
}`
const plain = 'subscription { events(tunnelId: "t1") { n } }'
const variables = { id: 't1' }

async function live(world: World, token: string, query = joined) {
  const received = subscribed(world.client(token), query, query === joined ? variables : undefined)
  await world.lives(1)
  return received
}

test('each event is joined with fields of the other subgraphs', async () => {
  await using world = await createWorld()
  const received = await live(world, world.signIn())

  world.emit({ n: 1, tunnelId: 't7' })

  expect(await received.next()).toEqual({
    data: {
      events: {
        n: 1,
        tunnel: { name: 'one', domain: 't7.example.test', computed: 'computed from real status' },
        organization: { name: 'organization o1' },
      },
    },
  })
})

test('events keep their order while their joins run at once', async () => {
  await using world = await createWorld()
  const received = await live(world, world.signIn())

  for (let n = 0; n < 50; n += 1) world.emit({ n, tunnelId: `t${n}` })

  for (let n = 0; n < 50; n += 1) {
    expect((await received.next()).data).toMatchObject({
      events: { n, tunnel: { domain: `t${n}.example.test` } },
    })
  }
})

test('a subscription runs as server-sent events too', async () => {
  await using world = await createWorld()
  const leave = new AbortController()
  const response = await fetch(`${world.origin}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${world.signIn()}`,
    },
    body: JSON.stringify({ query: joined, variables }),
    signal: leave.signal,
  })
  await world.lives(1)

  world.emit({ n: 3 })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('"n":3')) break
  }
  leave.abort()

  expect(text).toContain('event: next\ndata: {"data":{"events":{"n":3')
  await world.lives(0)
})

test('a slow subgraph costs its fields, not the event', async () => {
  await using world = await createWorld({ limits: { joinTimeoutMs: 3_000 } })
  const received = await live(world, world.signIn())
  const release = world.hold('domains.Tunnel')

  world.emit({ n: 1 })
  const event = await received.next()
  release()

  expect(event.data).toMatchObject({
    events: {
      n: 1,
      tunnel: { name: 'one', domain: null },
      organization: { name: 'organization o1' },
    },
  })
  expect(event.errors?.[0]).toMatchObject({
    path: ['events', 'tunnel'],
    extensions: { code: 'SLUICE_SUBGRAPH_TIMEOUT' },
  })
})

test('what the subgraph refuses ends the subscription with its code', async () => {
  await using world = await createWorld()
  const received = subscribed(world.client(world.signIn()), 'subscription { refused { n } }')

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_FORBIDDEN' } }],
  })
  expect(await received.over).toBeNull()
})

test('an unknown subgraph address ends the subscription with a code', async () => {
  await using world = await createWorld()
  await world.stop('tunnels')
  const received = subscribed(world.client(world.signIn()), plain)

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_SUBGRAPH_UNAVAILABLE' } }],
  })
  expect(await received.over).toBeNull()
})

test.for(['idle', 'while a join runs'] as const)(
  'a cancel reaches the subgraph: complete, %s',
  async (when) => {
    await using world = await createWorld()
    const received = await live(world, world.signIn())
    const release = when === 'idle' ? () => undefined : world.hold('domains.Tunnel')
    if (when !== 'idle') {
      world.emit({ n: 1 })
      await world.called('domains.Tunnel')
    }

    received.cancel()

    await expect(world.lives(0)).resolves.toBeUndefined()
    if (when !== 'idle') await world.abandoned('domains.Tunnel')
    release()
  },
)

test.for(['idle', 'while a join runs'] as const)(
  'a cancel reaches the subgraph: socket cut, %s',
  async (when) => {
    await using world = await createWorld()
    const client = world.client(world.signIn())
    subscribed(client, joined, variables)
    await world.lives(1)
    const release = when === 'idle' ? () => undefined : world.hold('domains.Tunnel')
    if (when !== 'idle') {
      world.emit({ n: 1 })
      await world.called('domains.Tunnel')
    }

    client.terminate()

    await expect(world.lives(0)).resolves.toBeUndefined()
    if (when !== 'idle') await world.abandoned('domains.Tunnel')
    release()
  },
)

test.for(['idle', 'while a join runs'] as const)(
  'a revocation reaches the subgraph, %s',
  async (when) => {
    await using world = await createWorld()
    const principal = memberPrincipal()
    const received = await live(world, world.signIn(principal))
    const release = when === 'idle' ? () => undefined : world.hold('domains.Tunnel')
    if (when !== 'idle') {
      world.emit({ n: 1 })
      await world.called('domains.Tunnel')
    }

    await world.revoke({ kind: 'user', id: principal.id })

    expect(await received.next()).toMatchObject({
      errors: [{ extensions: { code: 'SLUICE_UNAUTHENTICATED' } }],
    })
    await world.lives(0)
    if (when !== 'idle') await world.abandoned('domains.Tunnel')
    release()
  },
)

test('a cancel right after the subscribe leaves nothing behind', async () => {
  await using world = await createWorld()
  const client = world.client(world.signIn())
  const stays = subscribed(client, plain)
  await world.lives(1)

  for (let round = 0; round < 50; round += 1) subscribed(client, plain).cancel()
  world.emit({ n: 1 })
  await stays.next()

  await world.lives(1)
  stays.cancel()
  await expect(world.lives(0)).resolves.toBeUndefined()
})

test('a reader that stops loses the oldest events, is told how many, and holds up nobody', async () => {
  await using world = await createWorld({
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
  const own = 'subscription { events(tunnelId: "t1") { text n } }'
  send({ id: '1', type: 'subscribe', payload: { query: own } })
  await world.lives(2)
  const events = 300
  const text = 'x'.repeat(100_000)

  slow.pause()
  for (let n = 0; n < events; n += 1) {
    world.emit({ n, text })
    expect((await neighbour.next()).data).toMatchObject({ events: { n } })
  }
  const seen: { n: number; missed: number }[] = []
  slow.on('message', (data: Buffer) => {
    const { payload } = JSON.parse(data.toString()) as {
      payload: { data: { events: { n: number } }; extensions?: { gap?: { missed: number } } }
    }
    seen.push({ n: payload.data.events.n, missed: payload.extensions?.gap?.missed ?? 0 })
  })
  slow.resume()

  await expect.poll(() => seen.at(-1)?.n).toBe(events - 1)
  const missed = seen.reduce((sum, one) => sum + one.missed, 0)
  expect(missed).toBeGreaterThan(0)
  expect(seen.length + missed).toBe(events)
})

test('a subgraph that dies ends its subscriptions with one payload, and the next one works', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  const received = await live(world, token)

  await world.restart('tunnels')

  expect(await received.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_SUBSCRIPTION_LOST' } }],
  })
  expect(await received.over).toBeNull()
  const again = await live(world, token)
  world.emit({ n: 2 })
  expect((await again.next()).data).toMatchObject({ events: { n: 2 } })
})

test('a reload leaves running subscriptions on their supergraph until the deadline', async () => {
  await using world = await createWorld({ metricsPort: 0, limits: { reloadDrainMs: 1_500 } })
  const token = world.signIn()
  const before = await live(world, token)
  const more = {
    ...fixtureSdl,
    billing: `${fixtureSdl.billing} extend type Query { added: Boolean }`,
  }

  world.gateway.reload(composed(more))
  world.emit({ n: 1 })

  expect((await before.next()).data).toMatchObject({
    events: { n: 1, tunnel: { domain: 't1.example.test' } },
  })
  expect(
    (await world.query('{ __type(name: "Query") { fields { name } } }', token)).text,
  ).toContain('added')
  expect(await before.next()).toMatchObject({
    errors: [{ extensions: { code: 'SLUICE_SUBSCRIPTION_RELOAD' } }],
  })
  expect(await before.over).toBeNull()
  await world.lives(0)
  expect(await world.figures()).toMatch(
    /^sluice_gateway_subscriptions_ended_total\{reason="SLUICE_SUBSCRIPTION_RELOAD".* 1$/m,
  )
})

test('the supergraph file is read again when the operator says so', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  const fields = '{ __type(name: "Tunnel") { fields { name } } }'
  expect((await world.query(fields, token)).text).not.toContain('captureBodies')

  world.gateway.reloadCommitted()

  expect((await world.query(fields, token)).text).toContain('captureBodies')
})

test('a supergraph that cannot be loaded leaves the one in use', async () => {
  await using world = await createWorld()

  expect(() => world.gateway.reload('type Query { broken: Nothing }')).toThrow('Nothing')

  expect((await world.query('{ whoami }', world.signIn())).status).toBe(200)
})

test('a root field under a condition is refused, an inner one is not', async () => {
  await using world = await createWorld()
  const client = world.client(world.signIn())
  const root = 'subscription ($on: Boolean!) { events(tunnelId: "t1") @include(if: $on) { n } }'
  const inner =
    'subscription ($on: Boolean!) { events(tunnelId: "t1") { n tunnel { domain @include(if: $on) name } } }'

  const inFragment =
    'subscription ($on: Boolean!) { ...F } fragment F on Subscription { events(tunnelId: "t1") @skip(if: $on) { n } }'
  for (const text of [root, inFragment]) {
    expect(await subscribed(client, text, { on: true }).over).toMatchObject([
      { extensions: { code: 'SLUICE_INPUT_INVALID' } },
    ])
  }
  const received = subscribed(client, inner, { on: false })
  await world.lives(1)
  world.emit({ n: 1 })
  expect((await received.next()).data).toEqual({ events: { n: 1, tunnel: { name: 'one' } } })
})
