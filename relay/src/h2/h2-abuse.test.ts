import { once } from 'node:events'
import type { Server } from 'node:http'

import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import {
  endHeaders,
  endStream,
  fieldBlock,
  frame,
  frameOf,
  frameVisitor,
  keptField,
  numberOf,
  requestFields,
} from '../testing/h2-frames.ts'
import { h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld, host, type World } from '../testing/world.ts'
import type { H2Limits } from './h2-limits.ts'

const certificate = selfSigned(apex)
const flowControlError = 3
const enhanceYourCalm = 11

interface Abused {
  readonly world: World
  readonly upstream: Server
  readonly requests: () => number
}

async function abused(h2Limits: Partial<H2Limits> = {}): Promise<Abused & AsyncDisposable> {
  const world = await createWorld({ httpsPort: 0, certificate, h2Limits })
  let requests = 0
  const upstream = await world.upstream((request, response) => {
    requests += 1
    if (request.url === '/large') response.end(Buffer.alloc(1_000_000))
    else if (request.url !== '/stuck') response.end('reached')
  })
  await world.tunnel(upstream, { maxConcurrentConns: 1_000 })
  return {
    world,
    upstream,
    requests: () => requests,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

/** Nobody else notices: a visitor of the same tunnel is served, and nothing of the others is left behind. */
async function expectUntouched({ world }: Abused): Promise<void> {
  const session = h2Visitor(world, certificate.cert)
  expect(await h2Get(session)).toMatchObject({ status: 200, body: Buffer.from('reached') })
  session.close()
  await once(session, 'close')
  while ((await openConnections(world)) > 0) await new Promise((resolve) => setTimeout(resolve, 25))
}

async function openConnections(world: World): Promise<number> {
  const metrics = await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)
  const [, count] =
    /^sluice_relay_visitor_connections(?:\{.*\})? (\d+)$/m.exec(await metrics.text()) ?? []
  return Number(count)
}

test('ten thousand requests that are reset at once end their connection, and few reach the upstream', async () => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)
  const head = fieldBlock(requestFields)

  for (let round = 0; round < 100; round += 1) {
    const frames = Array.from({ length: 100 }, (_, index) => {
      const streamId = 1 + 2 * (100 * round + index)
      return Buffer.concat([
        frameOf(frame.headers, endHeaders | endStream, streamId, head),
        frameOf(frame.reset, 0, streamId, numberOf(8)),
      ])
    })
    visitor.send(Buffer.concat(frames))
  }
  await visitor.closed()

  expect(around.requests()).toBeLessThan(1_000)
  await expectUntouched(around)
})

test('streams that the relay is made to reset itself count the same', async () => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)
  const head = fieldBlock(requestFields)

  for (let index = 0; index < 5_000; index += 1) {
    const streamId = 1 + 2 * index
    visitor.send(
      Buffer.concat([
        frameOf(frame.headers, endHeaders, streamId, head),
        // A window that grows by nothing is an error of the stream (RFC 9113 §6.9).
        frameOf(frame.windowUpdate, 0, streamId, numberOf(0)),
      ]),
    )
  }
  await visitor.closed()

  expect(around.requests()).toBeLessThan(1_000)
  await expectUntouched(around)
})

test.for([
  ['PINGs', frameOf(frame.ping, 0, 0, Buffer.alloc(8))],
  ['SETTINGS', frameOf(frame.settings, 0, 0, Buffer.alloc(0))],
] as const)('ten thousand %s end their connection', async ([, one]) => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)

  for (let round = 0; round < 100; round += 1) {
    visitor.send(Buffer.concat(Array.from({ length: 100 }, () => one)))
  }
  const goAway = await visitor.find(({ type }) => type === frame.goAway)
  await visitor.closed()

  // What was on its way may have turned the close into a reset that overtakes the reason.
  expect([enhanceYourCalm, undefined]).toContain(goAway?.payload.readUInt32BE(4))
  await expectUntouched(around)
})

test('a head that unpacks to more than allowed is refused, and never put together', async () => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)

  // One field of 4,000 bytes in the table, then a byte for each time it is named again.
  visitor.send(
    frameOf(
      frame.headers,
      endHeaders | endStream,
      1,
      Buffer.concat([
        fieldBlock(requestFields),
        keptField('x-bomb', 'b'.repeat(4_000)),
        Buffer.alloc(2_000, 0x80 | 62),
      ]),
    ),
  )

  expect(await visitor.resetOf(1)).not.toBe(0)
  expect(around.requests()).toBe(0)
  visitor.socket.destroy()
  await expectUntouched(around)
})

test('a head without an end is not waited for', async () => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)

  visitor.send(frameOf(frame.headers, endStream, 1, fieldBlock(requestFields)))
  for (let index = 0; index < 500; index += 1) {
    const piece = fieldBlock([['x-more', 'm'.repeat(1_000)]])
    visitor.send(frameOf(frame.continuation, 0, 1, piece))
  }
  await visitor.closed()

  expect(around.requests()).toBe(0)
  await expectUntouched(around)
})

test.for([
  ['a connection header', [['connection', 'close']]],
  ['a keep-alive header', [['keep-alive', 'timeout=5']]],
  ['a transfer coding', [['transfer-encoding', 'chunked']]],
  ['an upgrade', [['upgrade', 'websocket']]],
  ['te beyond trailers', [['te', 'gzip']]],
  ['a name in upper case', [['X-Upper', '1']]],
  ['an unknown pseudo-header', [[':hidden', '1']]],
  ['a second path', [[':path', '/other']]],
  ['a length of a body that does not come', [['content-length', '5']]],
] as const)('a request with %s is no request', async ([, fields]) => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)

  visitor.request(1, [...requestFields, ...fields])
  expect(await visitor.resetOf(1)).toBe(1)
  visitor.request(3)
  const answered = await visitor.find(
    ({ type, streamId }) => type === frame.headers && streamId === 3,
  )

  expect(answered).toBeDefined()
  expect(around.requests()).toBe(1)
})

test.for([
  ['a space in the path', '/a b'],
  ['a line end in the path', '/a\r\nX-Injected: 1'],
  ['an empty path', ''],
  ['a path that is an address', 'https://elsewhere.test/'],
])('a request with %s does not reach the upstream', async ([, path = '']) => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)

  visitor.request(
    1,
    requestFields.map(([name, value]) => [name, name === ':path' ? path : value] as const),
  )
  const answer = await visitor.find(
    ({ type, streamId }) => streamId === 1 && (type === frame.reset || type === frame.headers),
  )

  expect(answer).toBeDefined()
  visitor.socket.destroy()
  await expectUntouched(around)
  expect(around.requests()).toBe(1)
})

test('a field whose value would end a line never becomes two', async () => {
  await using around = await abused()
  let headers: Record<string, unknown> = {}
  around.upstream.on('request', (request: { headers: Record<string, unknown> }) => {
    headers = request.headers
  })
  const visitor = await frameVisitor(around.world, certificate.cert)

  visitor.request(1, [...requestFields, ['x-value', 'a\r\nx-injected: 1']])
  visitor.request(3)
  await visitor.find(({ type, streamId }) => type === frame.headers && streamId === 3)

  expect(headers).not.toHaveProperty('x-injected')
})

test('a hundred visitors that take nothing hold up nobody, and are given up', async () => {
  await using around = await abused({ stallMs: 1_500 })
  // SETTINGS_INITIAL_WINDOW_SIZE 0: no body may be sent.
  const noWindow = Buffer.from([0, 4, 0, 0, 0, 0])
  const visitors = await Promise.all(
    Array.from({ length: 10 }, () => frameVisitor(around.world, certificate.cert, noWindow)),
  )
  const large = requestFields.map(
    ([name, value]) => [name, name === ':path' ? '/large' : value] as const,
  )
  for (const visitor of visitors) {
    for (let index = 0; index < 10; index += 1) visitor.request(1 + 2 * index, large)
  }
  await Promise.all(
    visitors.map((visitor) =>
      visitor.find(({ type, streamId }) => type === frame.headers && streamId === 19),
    ),
  )

  const session = h2Visitor(around.world, certificate.cert)
  for (let index = 0; index < 20; index += 1) {
    expect(await h2Get(session)).toMatchObject({ status: 200 })
  }
  session.close()

  for (const visitor of visitors) {
    for (let index = 0; index < 10; index += 1) {
      expect(await visitor.resetOf(1 + 2 * index)).not.toBe(0)
    }
    visitor.socket.destroy()
  }
  await expectUntouched(around)
})

test('downloads that are broken off leave nothing behind', async () => {
  await using around = await abused()
  const sessions = Array.from({ length: 4 }, () => h2Visitor(around.world, certificate.cert))

  await Promise.all(
    sessions.flatMap((session) =>
      Array.from({ length: 40 }, async () => {
        const stream = session.request({ ':authority': host, ':path': '/large' })
        stream.on('error', () => undefined)
        await once(stream, 'data')
        stream.close(8)
        await once(stream, 'close')
      }),
    ),
  )
  for (const session of sessions) session.destroy()

  await expectUntouched(around)
  const metrics = await fetch(`http://127.0.0.1:${around.world.relay.adminPort}/metrics`)
  expect(await metrics.text()).toMatch(/^sluice_relay_streams(?:\{.*\})? 0$/m)
})

test('more streams at once than allowed are refused, those before them are served', async () => {
  await using around = await abused({ streamsMax: 5 })
  const session = h2Visitor(around.world, certificate.cert)
  await once(session, 'remoteSettings')
  expect(session.remoteSettings.maxConcurrentStreams).toBe(5)
  const visitor = await frameVisitor(around.world, certificate.cert)

  const body = frameOf(frame.data, endStream, 0, Buffer.alloc(0))
  for (let index = 0; index < 6; index += 1) {
    visitor.send(frameOf(frame.headers, endHeaders, 1 + 2 * index, fieldBlock(requestFields)))
  }
  expect(await visitor.resetOf(11)).toBe(7)
  for (let index = 0; index < 5; index += 1) {
    body.writeUInt32BE(1 + 2 * index, 5)
    visitor.send(Buffer.from(body))
  }

  for (let index = 0; index < 5; index += 1) {
    const streamId = 1 + 2 * index
    const answer = await visitor.find(
      (one) => one.type === frame.data && one.streamId === streamId && one.payload.length > 0,
    )
    expect(answer?.payload.toString()).toBe('reached')
  }
})

test('a connection without a stream is closed after a while, in an orderly way', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate, idleTimeoutMs: 1_000 })
  const visitor = await frameVisitor(world, certificate.cert)

  const goAway = await visitor.find(({ type }) => type === frame.goAway)
  await visitor.closed()

  expect(goAway?.payload.readUInt32BE(4)).toBe(0)
  expect(await openConnections(world)).toBe(0)
})

test('a body that its upstream leaves untaken waits in its window, and more is a violation', async () => {
  await using around = await abused()
  const visitor = await frameVisitor(around.world, certificate.cert)
  const stuck = requestFields.map(
    ([name, value]) => [name, name === ':path' ? '/stuck' : value] as const,
  )
  visitor.send(frameOf(frame.headers, endHeaders, 1, fieldBlock(stuck)))

  for (let index = 0; index < 600; index += 1) {
    visitor.send(frameOf(frame.data, 0, 1, Buffer.alloc(16_384)))
  }
  const refused = await visitor.find(
    ({ type, streamId }) => type === frame.goAway || (type === frame.reset && streamId === 1),
  )

  expect(refused?.payload.readUInt32BE(refused.type === frame.goAway ? 4 : 0)).toBe(
    flowControlError,
  )
  visitor.socket.destroy()
  await expectUntouched(around)
})
