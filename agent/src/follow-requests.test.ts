import { EventEmitter, on, once } from 'node:events'
import { createServer } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'
import { expect, test } from 'vitest'

import { followRequests, type FollowOptions } from './follow-requests.ts'
import {
  fixtureAuthtoken,
  fixtureRequest,
  openGraphFixture,
  type GraphFixture,
  type GraphRoot,
} from './graph-fixture.ts'

/** The server's side: what each subscription asked for, and a way to send events to all of them. */
function createFeed() {
  const bus = new EventEmitter()
  const asked: { after: string | null }[] = []
  const root: GraphRoot = {
    requestCaptured(variables: { after: string | null }) {
      const events = on(bus, 'event')
      asked.push(variables)
      bus.emit('subscribed')
      return {
        [Symbol.asyncIterator]: () => ({
          // Not a generator: one that waits for its next event cannot be ended from outside.
          return: () => events.return?.() ?? { done: true },
          async next() {
            const { value, done } = await events.next()
            const [event] = (value ?? []) as [object | Error]
            if (event instanceof Error) throw event
            return { done, value: { requestCaptured: event } }
          },
        }),
      }
    },
  }
  return {
    root,
    asked,
    subscribed: async () => {
      await new Promise((resolve) => {
        bus.once('subscribed', resolve)
      })
    },
    fail: (error: Error) => bus.emit('event', error),
    send: (path: string, missed = 0) =>
      bus.emit('event', { cursor: `c-${path}`, missed, request: fixtureRequest(path) }),
  }
}

/** Follows in the background and queues what the listener hears. */
function follow(server: string, options: Partial<FollowOptions> = {}) {
  const heard: string[] = []
  const bell = new EventEmitter()
  const stop = new AbortController()
  const hear = (what: string) => {
    heard.push(what)
    bell.emit('heard')
  }
  const ended = followRequests(
    {
      server,
      authtoken: fixtureAuthtoken,
      organizationId: 'o1',
      tunnelId: null,
      after: null,
      signal: stop.signal,
      random: () => 0.1,
      reconnectBaseMs: 50,
      ...options,
    },
    {
      connected: (reconnected) => hear(reconnected ? 'reconnected' : 'connected'),
      disconnected: (problem) => hear(`disconnected: ${problem.message}`),
      missed: (requests) => hear(`missed ${requests}`),
      request: ({ path, tunnel }) => hear(`${path} of ${tunnel?.organization?.name}`),
    },
  )
  // What ends it is asserted where it matters; elsewhere it must not count as unhandled.
  ended.catch(() => undefined)
  return {
    heard,
    ended,
    async until(what: string) {
      while (!heard.includes(what)) {
        await new Promise((resolve) => {
          bell.once('heard', resolve)
        })
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended.catch(() => undefined)
    },
  }
}

test('requests arrive with the fields that other parts join', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  const subscribed = feed.subscribed()
  await using log = follow(server.url)
  await subscribed

  feed.send('/one')
  await log.until('/one of Acme')

  expect(log.heard).toEqual(['connected', '/one of Acme'])
})

test('after a cut it goes on behind the last request that was seen', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  let subscribed = feed.subscribed()
  await using log = follow(server.url, { after: 'c-start' })
  await subscribed
  feed.send('/one')
  await log.until('/one of Acme')

  subscribed = feed.subscribed()
  server.cutSockets()
  await subscribed
  feed.send('/two')
  await log.until('/two of Acme')

  expect(feed.asked.map(({ after }) => after)).toEqual(['c-start', 'c-/one'])
  expect(log.heard).toContain('reconnected')
  expect(log.heard.join()).not.toContain('missed')
})

test('a server that is away for a while is found again at the same address', async () => {
  const feed = createFeed()
  let server: GraphFixture = await openGraphFixture(feed.root)
  const { port } = server
  let subscribed = feed.subscribed()
  await using log = follow(server.url)
  await subscribed
  feed.send('/one')
  await log.until('/one of Acme')

  await server[Symbol.asyncDispose]()
  await log.until(`disconnected: http://localhost:${port} does not answer.`)
  subscribed = feed.subscribed()
  server = await openGraphFixture(feed.root, port)
  await subscribed
  feed.send('/two')
  await log.until('/two of Acme')
  await server[Symbol.asyncDispose]()

  expect(feed.asked.at(-1)).toMatchObject({ after: 'c-/one' })
})

test('gaps are told: dropped events, and a cut before the first cursor', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  let subscribed = feed.subscribed()
  await using log = follow(server.url)
  await subscribed

  subscribed = feed.subscribed()
  server.cutSockets()
  await subscribed
  feed.send('/one', 7)
  await log.until('/one of Acme')

  expect(log.heard).toContain('missed null')
  expect(log.heard).toContain('missed 7')
})

test.for(['SLUICE_SUBSCRIPTION_LOST', 'SLUICE_SUBGRAPH_UNAVAILABLE'] as const)(
  '%s ends one subscription, and the next follows',
  async (code) => {
    const feed = createFeed()
    await using server = await openGraphFixture(feed.root)
    let subscribed = feed.subscribed()
    await using log = follow(server.url, { after: 'c' })
    await subscribed

    subscribed = feed.subscribed()
    feed.fail(new SluiceError(code))
    await subscribed

    expect(log.heard).toContain(`disconnected: ${new SluiceError(code).message}`)
  },
)

test('a cursor that the server no longer knows is given up, and the gap is told', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  let subscribed = feed.subscribed()
  await using log = follow(server.url, { after: 'old' })
  await subscribed

  subscribed = feed.subscribed()
  feed.fail(new SluiceError('SLUICE_CURSOR_INVALID'))
  await subscribed

  expect(feed.asked.map(({ after }) => after)).toEqual(['old', null])
  expect(log.heard).toContain('missed null')
})

test('a refused credential ends it, and so does a foreign organization', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  await using refused = follow(server.url, { authtoken: 'slt_wrong' })
  await expect(refused.ended).rejects.toMatchObject({ code: 'SLUICE_UNAUTHENTICATED' })

  const subscribed = feed.subscribed()
  await using log = follow(server.url)
  await subscribed
  feed.fail(new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND'))
  await expect(log.ended).rejects.toMatchObject({ code: 'SLUICE_ORGANIZATION_NOT_FOUND' })
})

test('a peer that accepts and then says nothing is noticed', async () => {
  const sockets = new Set<{ destroy(): void }>()
  const mute = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => {
    mute.listen(0, '127.0.0.1', resolve)
  })
  const address = mute.address()
  const port = typeof address === 'object' ? address?.port : 0
  await using log = follow(`http://localhost:${port}`, { handshakeTimeoutMs: 50 })

  await log.until(`disconnected: http://localhost:${port} does not answer.`)

  expect(log.heard).not.toContain('connected')
  for (const socket of sockets) socket.destroy()
  mute.close()
})

test('a connection that goes dead without a word is noticed by missing pongs', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  let subscribed = feed.subscribed()
  await using log = follow(server.url, { pingIntervalMs: 40 })
  await subscribed

  subscribed = feed.subscribed()
  server.freezeSockets()
  await subscribed

  expect(log.heard).toContain(`disconnected: ${server.url} does not answer.`)
})

test('while a reader is slow nothing more is read, and later nothing is lost', async () => {
  const feed = createFeed()
  await using server = await openGraphFixture(feed.root)
  const subscribed = feed.subscribed()
  const bell = new EventEmitter()
  const seen: string[] = []
  const early: string[] = []
  let isReady = false
  const stop = new AbortController()
  const following = followRequests(
    {
      server: server.url,
      authtoken: fixtureAuthtoken,
      organizationId: 'o1',
      tunnelId: null,
      after: null,
      signal: stop.signal,
    },
    {
      connected: () => undefined,
      disconnected: () => undefined,
      missed: () => undefined,
      async request({ path }) {
        if (seen.length > 0 && !isReady) early.push(path)
        seen.push(path)
        bell.emit(`seen ${seen.length}`)
        if (!isReady) await once(bell, 'ready')
      },
    },
  )
  await subscribed
  feed.send('/0')
  await once(bell, 'seen 1')

  const all = once(bell, 'seen 100')
  for (let at = 1; at < 100; at += 1) feed.send(`/${at}`)
  // A round trip to the same server: by then the events above have been sent.
  await fetch(server.url)
  isReady = true
  bell.emit('ready')
  await all
  stop.abort()
  await following

  expect(early).toEqual([])
  expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => `/${at}`))
})
