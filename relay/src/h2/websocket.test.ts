import { once } from 'node:events'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { connect, createServer, type Socket } from 'node:net'

import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { selfSigned } from '../edge/self-signed.ts'
import { h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld, host, portOf, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)
const worldWithTls = (): Promise<World> => createWorld({ httpsPort: 0, certificate })

/** A client frame of text with the mask zero, or the server's frame. */
const text = (words: string, masked: boolean): Buffer =>
  Buffer.concat([
    Buffer.from([0x81, (masked ? 0x80 : 0) | words.length]),
    Buffer.alloc(masked ? 4 : 0),
    Buffer.from(words),
  ])

const handshake =
  `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const accept =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

async function echoServer(world: World): Promise<WebSocketServer> {
  const upstream = await world.upstream((_request, response) => {
    response.writeHead(403).end('no')
  })
  const server = new WebSocketServer({
    server: upstream,
    path: '/chat',
    handleProtocols: () => 'v1',
  })
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.send('welcome')
  })
  await world.tunnel(upstream, { maxConcurrentConns: 1_000 })
  return server
}

/** Opens a WebSocket over HTTP/2 and collects what comes. */
async function openOverH2(world: World, fields: Record<string, string> = {}) {
  const session = h2Visitor(world, certificate.cert)
  await once(session, 'remoteSettings')
  expect(session.remoteSettings.enableConnectProtocol).toBe(true)
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    ':authority': host,
    'sec-websocket-version': '13',
    ...fields,
  })
  stream.on('error', () => undefined)
  stream.on('end', () => stream.end())
  let received = Buffer.alloc(0)
  let changed = Promise.withResolvers<void>()
  stream.on('data', (piece: Buffer) => {
    received = Buffer.concat([received, piece])
    changed.resolve()
    changed = Promise.withResolvers()
  })
  const [headers] = await once(stream, 'response')
  return {
    session,
    stream,
    headers,
    async until(bytes: number): Promise<Buffer> {
      while (received.length < bytes) await changed.promise
      return received
    },
  }
}

test('a WebSocket over HTTP/2 reaches a service that knows HTTP/1.1 only', async () => {
  await using world = await worldWithTls()
  const server = await echoServer(world)
  const closed = Promise.withResolvers<[number, string]>()
  server.on('connection', (socket) =>
    socket.on('close', (code, reason) => closed.resolve([code, reason.toString()])),
  )

  const visitor = await openOverH2(world, { 'sec-websocket-protocol': 'v1' })
  expect(visitor.headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'v1' })
  for (const name of ['connection', 'upgrade', 'sec-websocket-accept'])
    expect(visitor.headers).not.toHaveProperty(name)
  visitor.stream.write(text('hello', true))
  // The first words of the service came in the segment of its handshake.
  const both = Buffer.concat([text('welcome', false), text('hello', false)])
  expect(await visitor.until(both.length)).toEqual(both)

  const reason = Buffer.from('\x0f\xa0bye', 'latin1')
  visitor.stream.write(
    Buffer.concat([Buffer.from([0x88, 0x80 | reason.length, 0, 0, 0, 0]), reason]),
  )
  expect(await closed.promise).toEqual([4_000, 'bye'])
})

test('a WebSocket over HTTP/2 that the service does not take is refused with its answer', async () => {
  await using world = await worldWithTls()
  await world.tunnel(
    await world.upstream((_request, response) => response.writeHead(403).end('no')),
  )

  const visitor = await openOverH2(world)

  expect(visitor.headers).toMatchObject({ ':status': 403 })
  expect((await visitor.until(2)).toString()).toBe('no')
})

test('an answer of 200 to a WebSocket over HTTP/2 does not open it', async () => {
  await using world = await worldWithTls()
  await world.tunnel(await world.upstream((_request, response) => response.end('a page')))

  expect((await openOverH2(world)).headers).toMatchObject({ ':status': 502 })
})

test('a protocol other than WebSocket is not opened over HTTP/2', async () => {
  await using world = await worldWithTls()
  const requests: string[] = []
  await world.tunnel(
    await world.upstream((request, response) => {
      requests.push(`${request.headers.upgrade}`)
      response.end()
    }),
  )

  const visitor = await openOverH2(world, { ':protocol': 'h2c' })

  expect(Number(visitor.headers[':status'])).toBeGreaterThanOrEqual(400)
  expect(requests).not.toContain('h2c')
})

test('a WebSocket passes over HTTP/2 on both sides', async () => {
  await using world = await worldWithTls()
  const asked = Promise.withResolvers<Record<string, unknown>>()
  const server = createHttp2Server({ settings: { enableConnectProtocol: true } })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    asked.resolve(headers)
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'sec-websocket-protocol': 'v1' })
    stream.pipe(stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => void server.close())
  await world.tunnel(portOf(server), {}, { upstream: { protocol: 'http2' } })

  const visitor = await openOverH2(world)
  visitor.stream.write(text('hello', true))
  expect(await visitor.until(11)).toEqual(text('hello', true))
  const answered = await asked.promise
  expect(answered).toMatchObject({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
  })
  expect(answered).not.toHaveProperty('sec-websocket-key')

  const plain = await world.visitor()
  plain.send(Buffer.concat([Buffer.from(handshake), text('early', true)]))
  await plain.until((received) => received.endsWith('early'))
  expect(plain.received).toMatch(/sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i)
  // Each half ends by itself: what was sent before comes back, then the end.
  plain.socket.end(text('last', true))
  expect(await plain.rest()).toMatch(/last$/)
})

test('an upstream of HTTP/2 that knows no WebSockets answers the plain request', async () => {
  await using world = await worldWithTls()
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 426 })
    stream.end('not here')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => void server.close())
  await world.tunnel(portOf(server), {}, { upstream: { protocol: 'http2' } })
  const visitor = await world.visitor()

  visitor.send(handshake)

  expect(await visitor.until((received) => received.includes('not here'))).toMatch(
    /^HTTP\/1\.1 426 /,
  )
})

test('bytes in the segment of a handshake are lost on neither side, and each half ends by itself', async () => {
  await using world = await worldWithTls()
  const heard = Promise.withResolvers<string>()
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    let received = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const started = received === ''
      received += chunk.toString('latin1')
      if (started) socket.write(`${accept}from the service`)
    })
    socket.on('end', () => {
      heard.resolve(received.slice(received.indexOf('\r\n\r\n') + 4))
      socket.end(', last')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => void server.close())
  await world.tunnel(portOf(server))
  const visitor = await world.visitor()

  visitor.send(`${handshake}from the visitor`)
  await visitor.until((received) => received.includes('from the service'))
  visitor.socket.end(', last')

  expect(await heard.promise).toBe('from the visitor, last')
  expect(await visitor.rest()).toMatch(/\r\n\r\nfrom the service, last$/)
})

test('a WebSocket whose visitor is cut off is cut off at the service', async () => {
  await using world = await worldWithTls()
  const server = await echoServer(world)
  const gone = new Promise((resolve) => {
    server.on('connection', (socket) => socket.on('close', resolve))
  })
  const visitor = await openOverH2(world)
  await visitor.until(9)

  visitor.session.destroy()

  expect(await gone).toBe(1006)
})

test('hundreds of idle WebSockets stay open beside each other, and every one still answers', async () => {
  await using world = await createWorld({ connectionsMax: 1_000, idleTimeoutMs: 2_000 })
  const server = await echoServer(world)
  const sockets = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${world.relay.httpPort}/chat`, {
        headers: { host },
        createConnection: () => connect(world.relay.httpPort, '127.0.0.1'),
      })
      await once(socket, 'message')
      return socket
    }),
  )
  // Longer than a connection may idle between requests.
  await new Promise((resolve) => setTimeout(resolve, 3_500))
  expect(server.clients.size).toBe(300)

  const answers = await Promise.all(
    sockets.map(async (socket, index) => {
      const answer = once(socket, 'message')
      socket.send(String(index))
      return String((await answer)[0])
    }),
  )

  expect(answers).toEqual(sockets.map((_, index) => String(index)))
  const closed = sockets.map((socket) => once(socket, 'close'))
  for (const client of server.clients) client.close(4_001, 'enough')
  const codes = await Promise.all(closed)
  expect(codes.every(([code, reason]) => code === 4_001 && String(reason) === 'enough')).toBe(true)
})
