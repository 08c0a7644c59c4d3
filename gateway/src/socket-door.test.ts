import { once } from 'node:events'

import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { subscribed } from './testing/received.ts'
import { consoleOrigin, createWorld, type World } from './testing/world.ts'

const plain = 'subscription { events(tunnelId: "t1") { n } }'
/** Equal subscriptions share one upstream: to be counted there they differ. */
const of = (id: string): string => `subscription { events(tunnelId: "${id}") { n } }`

async function open(world: World, options?: Parameters<World['socket']>[0]): Promise<WebSocket> {
  const socket = world.socket(options)
  await once(socket, 'open')
  return socket
}

function opens(world: World): Promise<'open' | null> {
  const socket = world.socket()
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open'))
    socket.once('unexpected-response', () => resolve(null))
  })
}

async function acknowledged(world: World): Promise<WebSocket> {
  const socket = await open(world)
  say(socket, { type: 'connection_init', payload: { authorization: `Bearer ${world.signIn()}` } })
  expect(await heard(socket)).toEqual({ type: 'connection_ack' })
  return socket
}

function say(socket: WebSocket, message: unknown): void {
  socket.send(typeof message === 'string' ? message : JSON.stringify(message))
}

async function heard(socket: WebSocket): Promise<Record<string, unknown>> {
  const [data] = (await once(socket, 'message')) as [Buffer]
  return JSON.parse(data.toString()) as Record<string, unknown>
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number]
  return code
}

test('a page of another site cannot open a socket', async () => {
  await using world = await createWorld()

  const foreign = world.socket({ origin: 'https://evil.test' })
  const [, response] = (await once(foreign, 'unexpected-response')) as [
    unknown,
    { statusCode: number },
  ]
  const own = await open(world, { origin: consoleOrigin })

  expect(response.statusCode).toBe(403)
  expect(own.protocol).toBe('graphql-transport-ws')
})

test('a socket without the subprotocol is closed with 4406', async () => {
  await using world = await createWorld()
  const socket = new WebSocket(world.socketUrl)

  expect(await closeCode(socket)).toBe(4406)
})

test('each breach of the protocol has its close code', async () => {
  await using world = await createWorld({
    limits: { connectionInitMs: 3_000, messageBytesMax: 10_000 },
  })
  const breach = async (messages: unknown[], socket: WebSocket) => {
    for (const message of messages) say(socket, message)
    return closeCode(socket)
  }
  const subscribe = { id: '1', type: 'subscribe', payload: { query: plain } }
  const init = { type: 'connection_init' }

  expect(await breach([], await open(world))).toBe(4408)
  expect(await breach(['not json'], await open(world))).toBe(4400)
  expect(await breach([{ type: 'next', id: '1', payload: {} }], await open(world))).toBe(4400)
  expect(await breach([subscribe], await open(world))).toBe(4401)
  expect(await breach([init, init], await open(world))).toBe(4429)
  expect(await breach([subscribe, subscribe], await acknowledged(world))).toBe(4409)
  expect(await breach(['x'.repeat(20_000)], await acknowledged(world))).toBe(1009)
  const wrong = { type: 'connection_init', payload: { authorization: 'Bearer wrong' } }
  expect(await breach([wrong], await open(world))).toBe(4403)
})

test('bytes that are no text end the socket', async () => {
  await using world = await createWorld()
  const socket = await acknowledged(world)

  socket.send(Buffer.from([0xff, 0xfe]), { binary: false })

  expect(await closeCode(socket)).toBe(1007)
})

test('a ping is answered with its payload', async () => {
  await using world = await createWorld()
  const socket = await acknowledged(world)

  say(socket, { type: 'ping', payload: { n: 1 } })

  expect(await heard(socket)).toEqual({ type: 'pong', payload: { n: 1 } })
})

test('a mistake in one operation leaves the others on the socket', async () => {
  await using world = await createWorld()
  const client = world.client(world.signIn())
  const stays = subscribed(client, plain)
  await world.lives(1)

  const broken = await subscribed(client, 'subscription { events(').over
  const invalid = await subscribed(client, 'subscription { nothing }').over
  world.emit({ n: 1 })

  expect(broken).toMatchObject([{ extensions: { code: 'SLUICE_DOCUMENT_INVALID' } }])
  expect(invalid).toMatchObject([{ extensions: { code: 'SLUICE_DOCUMENT_INVALID' } }])
  expect((await stays.next()).data).toEqual({ events: { n: 1 } })
})

test('a socket has so many operations and no more, and a completed one makes room', async () => {
  await using world = await createWorld({ limits: { operationsPerSocketMax: 2 } })
  const client = world.client(world.signIn())
  const first = subscribed(client, of('t1'))
  subscribed(client, of('t2'))
  await world.lives(2)

  expect(await subscribed(client, of('t3')).over).toMatchObject([
    { extensions: { code: 'SLUICE_SUBSCRIPTIONS_MAX', max: 2 } },
  ])
  first.cancel()
  await world.lives(1)
  subscribed(client, of('t3'))
  await world.lives(2)
})

test('nobody has more than so many live streams, on however many sockets', async () => {
  await using world = await createWorld({ limits: { subscriptionsPerCallerMax: 2 } })
  const token = world.signIn()
  const first = subscribed(world.client(token), of('t1'))
  subscribed(world.client(token), of('t2'))
  await world.lives(2)

  expect(await subscribed(world.client(token), of('t2')).over).toMatchObject([
    { extensions: { code: 'SLUICE_SUBSCRIPTIONS_MAX' } },
  ])
  subscribed(world.client(world.signIn()), of('t1'))
  await world.lives(3)
  first.cancel()
  await world.lives(2)
  subscribed(world.client(token), of('t1'))
  await world.lives(3)
})

test('one address cannot take the sockets of all', async () => {
  await using world = await createWorld({ limits: { socketsPerIpMax: 1 } })
  const only = await open(world)

  const refused = world.socket()
  const [, response] = (await once(refused, 'unexpected-response')) as [
    unknown,
    { statusCode: number },
  ]
  only.close()
  await closeCode(only)

  expect(response.statusCode).toBe(429)
  await expect.poll(async () => (await opens(world)) ?? 'refused').toBe('open')
})

test('queries and mutations run over a socket', async () => {
  await using world = await createWorld()
  const client = world.client(world.signIn())

  const query = subscribed(client, '{ mine { domain } }')

  expect((await query.next()).data).toEqual({ mine: { domain: 't1.example.test' } })
  expect(await query.over).toBeNull()
})

test('a query over a socket is cancelled when the client completes it', async () => {
  await using world = await createWorld()
  const client = world.client(world.signIn())
  const release = world.hold('slow')
  const query = subscribed(client, '{ slow }')
  await world.called('slow')

  query.cancel()

  await expect(world.abandoned('slow')).resolves.toBeUndefined()
  release()
})

test('an id can be used again at once after a complete', async () => {
  await using world = await createWorld()
  const socket = await acknowledged(world)
  const subscribe = { id: '1', type: 'subscribe', payload: { query: plain } }

  for (let round = 0; round < 20; round += 1) {
    say(socket, subscribe)
    say(socket, { id: '1', type: 'complete' })
  }
  say(socket, subscribe)
  await world.lives(1)
  const next = heard(socket)
  world.emit({ n: 1 })

  expect(await next).toEqual({ id: '1', type: 'next', payload: { data: { events: { n: 1 } } } })
})

test('introspection and unregistered documents are refused to the anonymous', async () => {
  await using world = await createWorld()
  const client = world.client()

  expect(await subscribed(client, '{ __schema { queryType { name } } }').over).toMatchObject([
    { extensions: { code: 'SLUICE_INTROSPECTION_FORBIDDEN' } },
  ])
  expect(await subscribed(client, plain).over).toMatchObject([
    { extensions: { code: 'SLUICE_DOCUMENT_UNKNOWN' } },
  ])
})

test('a gateway that stops tells its sockets to come back', async () => {
  await using world = await createWorld()
  const socket = await acknowledged(world)
  say(socket, { id: '1', type: 'subscribe', payload: { query: plain } })
  await world.lives(1)

  const closed = closeCode(socket)
  await world.gateway.close()

  expect(await closed).toBe(1012)
})
