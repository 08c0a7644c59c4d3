import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { createClient, MessageType } from 'graphql-ws'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'

import { BoundedQueue } from './bounded-queue.ts'
import { createInternalSigner, internalHeader, type SubgraphName } from './internal-token.ts'
import { silentLog } from './log.ts'
import { generatePrivateJwks, openSigningKeys, publicJwksOf } from './signing-keys.ts'
import { openSubgraph, type Caller } from './subgraph.ts'
import { memberOf } from './testing.ts'

const keys = await generatePrivateJwks(1)
const signer = createInternalSigner(await openSigningKeys(keys))
const member = memberOf(crypto.randomUUID())

type Context = Caller & { serial: number }

async function createWorld() {
  let serial = 0
  let cancelled: () => void = () => undefined
  const cancel = new Promise<void>((resolve) => (cancelled = resolve))
  const forged: string[] = []
  const events = new BoundedQueue<string>(10, () => cancelled())
  const others = new BoundedQueue<string>(10)
  const text = (resolve: (context: Context) => string) => ({
    type: GraphQLString,
    resolve: (_root: unknown, _args: unknown, context: Context) => resolve(context),
  })
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        who: text(({ principal }) => principal.id),
        known: text(() => {
          throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
        }),
        unknown: text(() => {
          throw new Error('password=hunter2')
        }),
      },
    }),
    subscription: new GraphQLObjectType<unknown, Context>({
      name: 'Subscription',
      fields: {
        ticks: {
          type: GraphQLString,
          subscribe: () => events,
          resolve: (tick, _args, context) => `${String(tick)} ${context.serial}`,
        },
        tocks: { type: GraphQLString, subscribe: () => others, resolve: String },
      },
    }),
  })
  const server = await openSubgraph<Context>({
    name: 'tunnels',
    schema,
    context: (caller) => ({ ...caller, serial: (serial += 1) }),
    internalPublicJwks: publicJwksOf(keys),
    port: 0,
    log: silentLog,
    notReady: async () => null,
    onForged: (ip) => forged.push(ip),
  })
  onTestFinished(() => server.close())
  return { server, events, others, cancel, forged }
}

async function ask(port: number, query: string, token: string | null) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { [internalHeader]: token } : {}) },
    body: JSON.stringify({ query }),
  })
  return { status: response.status, text: await response.text() }
}

test('the principal of the internal header reaches the resolvers', async () => {
  const { server } = await createWorld()

  const answer = await ask(server.port, '{ who }', await signer.headerFor(member, 'tunnels'))

  expect(JSON.parse(answer.text)).toEqual({ data: { who: member.id } })
})

test.for<[string, SubgraphName | null]>([
  ['nothing', null],
  ['a header for another subgraph', 'billing'],
])('whoever comes with %s is refused, also for introspection', async ([, audience]) => {
  const { server } = await createWorld()
  const token = audience ? await signer.headerFor(member, audience) : null

  const answer = await ask(server.port, '{ __schema { queryType { name } } }', token)

  expect(answer.status).toBe(401)
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'SLUICE_UNAUTHENTICATED' })
})

test('a header that is missing, or signed by another key, is refused and seen, by socket too', async () => {
  const { server, forged } = await createWorld()
  const foreign = createInternalSigner(await openSigningKeys(await generatePrivateJwks(1)))
  const header = await foreign.headerFor(member, 'tunnels')

  expect((await ask(server.port, '{ who }', header)).status).toBe(401)
  expect((await ask(server.port, '{ who }', null)).status).toBe(401)
  expect((await ask(server.port, '{ who }', 'rubbish')).status).toBe(401)
  const client = createClient({
    url: `ws://127.0.0.1:${server.port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  })
  onTestFinished(() => void client.dispose())
  const extensions = { internal: header }
  const answers = client.iterate({ query: 'subscription { ticks }', extensions })
  await expect(answers.next()).rejects.toMatchObject([
    { extensions: { code: 'SLUICE_UNAUTHENTICATED' } },
  ])

  // The rubbish is no token at all.
  expect(forged).toHaveLength(3)
  expect(new Set(forged)).toEqual(new Set([expect.stringContaining('127.0.0.1')]))
})

test('a failure of the catalogue keeps its code, anything else becomes an id', async () => {
  const { server } = await createWorld()
  const token = await signer.headerFor(member, 'tunnels')

  const known = await ask(server.port, '{ known }', token)
  const unknown = await ask(server.port, '{ unknown }', token)

  expect(JSON.parse(known.text).errors[0]).toMatchObject({
    path: ['known'],
    extensions: { code: 'SLUICE_TUNNEL_NOT_FOUND' },
  })
  expect(JSON.parse(unknown.text).errors[0].extensions.code).toBe('SLUICE_INTERNAL')
  expect(unknown.text).not.toContain('hunter2')
})

test('each event of a subscription has a context of its own, and a cancel reaches the source', async () => {
  const { server, events, cancel } = await createWorld()
  const client = createClient({
    url: `ws://127.0.0.1:${server.port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  })
  onTestFinished(() => void client.dispose())
  const subscription = client.iterate({
    query: 'subscription { ticks }',
    extensions: { internal: await signer.headerFor(member, 'tunnels') },
  })

  events.push('a')
  const first = await subscription.next()
  events.push('b')
  const second = await subscription.next()
  await subscription.return?.()
  await cancel

  expect(first.value).toEqual({ data: { ticks: 'a 2' } })
  expect(second.value).toEqual({ data: { ticks: 'b 3' } })
})

test('a subscription without the internal token is refused while the socket stays open', async () => {
  const { server, events } = await createWorld()
  const client = createClient({
    url: `ws://127.0.0.1:${server.port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  })
  onTestFinished(() => void client.dispose())

  const refused = client.iterate({ query: 'subscription { ticks }' })
  await expect(refused.next()).rejects.toMatchObject([
    { extensions: { code: 'SLUICE_UNAUTHENTICATED' } },
  ])
  const broken = client.iterate({
    query: 'subscription { ',
    extensions: { internal: await signer.headerFor(member, 'tunnels') },
  })
  await expect(broken.next()).rejects.toHaveLength(1)
  events.push('still here')
  const good = client.iterate({
    query: 'subscription { ticks }',
    extensions: { internal: await signer.headerFor(member, 'tunnels') },
  })

  expect(JSON.stringify((await good.next()).value)).toContain('still here')
})

/** A client that follows both sources over one socket: what it has read, in order, and how often the subgraph wrote. */
async function followBoth({ server, events, others }: Awaited<ReturnType<typeof createWorld>>) {
  let transport: Socket | undefined
  const onSocket = (message: unknown): void => {
    transport = (message as { socket: Socket }).socket
  }
  subscribe('net.server.socket', onSocket)
  onTestFinished(() => void unsubscribe('net.server.socket', onSocket))
  const read: unknown[] = []
  const client = createClient({
    url: `ws://127.0.0.1:${server.port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: {
      message: (message) => {
        if (message.type === MessageType.Next) read.push(message.payload.data)
      },
    },
  })
  onTestFinished(() => void client.dispose())
  const extensions = { internal: await signer.headerFor(member, 'tunnels') }
  const ended = ['ticks', 'tocks'].map(
    (field) =>
      new Promise<void>((resolve) => {
        const query = `subscription { ${field} }`
        const end = () => resolve()
        client.subscribe({ query, extensions }, { next: () => {}, error: end, complete: end })
      }),
  )
  events.push('first')
  others.push('first')
  await vi.waitFor(() => expect(read).toHaveLength(2), 15_000)
  read.length = 0
  if (!transport) throw new Error('nobody connected')
  return { read, write: vi.spyOn(transport, 'write'), ended: Promise.all(ended) }
}

test('what happens in one turn leaves in one write, each subscription in its order', async () => {
  const world = await createWorld()
  const { read, write } = await followBoth(world)

  for (const tick of ['a', 'b', 'c']) world.events.push(tick)
  for (const tock of ['x', 'y']) world.others.push(tock)
  await vi.waitFor(() => expect(read).toHaveLength(5), 15_000)

  expect(write).toHaveBeenCalledTimes(1)
  expect(valuesOf(read, 'tocks')).toEqual(['x', 'y'])
  expect(valuesOf(read, 'ticks').map((tick) => tick.charAt(0))).toEqual(['a', 'b', 'c'])
})

test('what happened before a close is still read', async () => {
  const world = await createWorld()
  const { read, write, ended } = await followBoth(world)

  for (const tick of ['a', 'b', 'c']) world.events.push(tick)
  for (const tock of ['x', 'y']) world.others.push(tock)
  let writesBefore = -1
  // After this turn's resolvers, and before its end, when the messages leave.
  process.nextTick(() => {
    writesBefore = write.mock.calls.length
    void world.server.close()
  })
  await ended

  expect(writesBefore).toBe(0)
  expect(valuesOf(read, 'tocks')).toEqual(['x', 'y'])
  expect(valuesOf(read, 'ticks').map((tick) => tick.charAt(0))).toEqual(['a', 'b', 'c'])
})

function valuesOf(read: readonly unknown[], field: string): string[] {
  return (read as Record<string, string>[]).flatMap((data) => data[field] ?? [])
}
