import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'

import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { answerOf, h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld, host, portOf, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)
const get = (path = '/', fields = '') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}Connection: close\r\n\r\n`

interface Upstream {
  readonly world: World
  readonly sessions: Set<ServerHttp2Session>
}

/** A tunnel to an upstream that speaks nothing but HTTP/2. */
async function tunnelTo(
  onStream: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void,
  server: Http2Server = createServer(),
): Promise<Upstream & AsyncDisposable> {
  const world = await createWorld({ httpsPort: 0, certificate })
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.on('error', () => undefined).on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  const tls = 'addContext' in server
  await world.tunnel(portOf(server), {}, { upstream: { tls, protocol: 'http2' } })
  return { world, sessions, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

test.for([
  ['in the clear', () => createServer()],
  ['over TLS', () => createSecureServer({ cert: certificate.cert, key: certificate.key })],
] as const)('an HTTP/1.1 visitor reaches an upstream of HTTP/2 %s', async ([, create]) => {
  await using around = await tunnelTo((stream, headers) => {
    stream.respond({ ':status': 200, 'x-two': ['a', 'b'], 'set-cookie': ['c=1', 'd=2'] })
    stream.end(JSON.stringify(headers))
  }, create())

  const answer = await around.world.exchange(
    get('/a%2Fb?c', 'TE: trailers\r\nX-Twice: 1\r\nX-Twice: 2\r\n'),
  )

  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  for (const line of ['x-two: a', 'x-two: b', 'set-cookie: c=1', 'set-cookie: d=2'])
    expect(head).toContain(`\r\n${line}`)
  const [, received = ''] = /(\{.*\})/.exec(body) ?? []
  expect(JSON.parse(received)).toMatchObject({
    ':method': 'GET',
    ':path': '/a%2Fb?c',
    ':authority': host,
    te: 'trailers',
    'x-twice': '1, 2',
    'x-forwarded-for': '127.0.0.1',
  })
})

test('bodies, trailers and interim responses pass between HTTP/1.1 and an upstream of HTTP/2', async () => {
  await using around = await tunnelTo((stream) => {
    const pieces: Buffer[] = []
    let asked = ''
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('trailers', (trailers) => (asked = String(trailers['x-asked'])))
    stream.on('end', () => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' })
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': asked }))
      stream.end(Buffer.concat(pieces))
    })
  })

  const answer = await around.world.exchange(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
      '5\r\nhello\r\n6\r\n world\r\n0\r\nX-Asked: this\r\n\r\n',
  )

  expect(answer).toMatch(
    /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  )
  expect(answer).toMatch(/b\r\nhello world\r\n0\r\nx-sum: this\r\n\r\n$/)
})

test.for([
  ['HEAD', 200, '7'],
  ['GET', 204, undefined],
  ['GET', 304, undefined],
  ['GET', 200, '0'],
] as const)(
  'an answer in its head alone (%s, %i) stays one for both kinds of visitors',
  async ([method, status, length]) => {
    await using around = await tunnelTo((stream) =>
      stream.respond(
        { ':status': status, ...(method === 'HEAD' ? { 'content-length': 7 } : {}) },
        { endStream: true },
      ),
    )

    const answer = await h2Get(h2Visitor(around.world, certificate.cert), { ':method': method })
    expect(answer).toMatchObject({ status, reset: 0, endedInHead: true })
    expect(answer.headers['content-length']).toBe(length)
    const plain = await around.world.exchange(get().replace('GET', method))
    expect(plain).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\n\r\n$`))
  },
)

test.for([
  ['with an error', constants.NGHTTP2_INTERNAL_ERROR, {}],
  ['without an error', constants.NGHTTP2_NO_ERROR, {}],
  ['before its length', constants.NGHTTP2_NO_ERROR, { 'content-length': 100 }],
] as const)(
  'a response that the upstream resets %s is never taken for a whole one',
  async ([, code, fields]) => {
    await using around = await tunnelTo((stream) => {
      stream.respond({ ':status': 200, ...fields })
      stream.write('half')
      setTimeout(() => bareReset(stream, code), 50)
    })

    const plain = await around.world.exchange(get())
    expect(plain).toMatch(/half/)
    expect(plain).not.toMatch(/0\r\n\r\n$/)
    const answer = await h2Get(h2Visitor(around.world, certificate.cert))
    expect(answer.reset).not.toBe(0)
  },
)

test('a visitor that goes away cancels the stream at the upstream, whose request never looks whole', async () => {
  const ended = Promise.withResolvers<number | string>()
  const began = Promise.withResolvers<void>()
  await using around = await tunnelTo((stream) => {
    stream.once('data', () => began.resolve())
    stream.on('end', () => {
      if (!stream.aborted) ended.resolve('whole')
    })
    stream.on('close', () => ended.resolve(stream.rstCode))
  })
  const visitor = await around.world.visitor()
  visitor.send(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
  )
  await began.promise

  visitor.socket.destroy()

  expect(await ended.promise).toBe(constants.NGHTTP2_CANCEL)
})

test('a stream that the upstream refuses untouched is tried again, once', async () => {
  let tries = 0
  await using around = await tunnelTo((stream) => {
    tries += 1
    if (tries === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else stream.respond({ ':status': 200 }, { endStream: true })
  })

  expect(await around.world.exchange(get())).toMatch(/^HTTP\/1\.1 200 /)
  expect(tries).toBe(2)
})

test('an upstream that goes away in an orderly way is connected to anew', async () => {
  await using around = await tunnelTo((stream) => {
    stream.respond({ ':status': 200 })
    stream.end('reached')
  })

  for (let round = 0; round < 3; round += 1) {
    expect(await around.world.exchange(get())).toMatch(/reached/)
    const [session] = around.sessions
    session?.close()
    if (session && !session.destroyed) await once(session, 'close')
  }
})

test('more exchanges than an upstream takes at once share few connections and wait for their turn', async () => {
  let open = 0
  let most = 0
  const connections = new Set<unknown>()
  await using around = await tunnelTo(
    (stream) => {
      open += 1
      most = Math.max(most, open)
      connections.add(stream.session)
      setTimeout(() => {
        open -= 1
        stream.respond({ ':status': 200 }, { endStream: true })
      }, 20)
    },
    createServer({ settings: { maxConcurrentStreams: 5 } }),
  )
  // Known from here on: how many streams the upstream takes.
  await around.world.exchange(get())

  const session = h2Visitor(around.world, certificate.cert)
  const answers = await Promise.all(Array.from({ length: 100 }, () => h2Get(session)))

  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(connections.size).toBeLessThanOrEqual(8)
  expect(most).toBeLessThanOrEqual(40)
})

test('an upstream that does not speak HTTP/2 is named as the reason', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_request, response) => response.end('reached'))
  await world.tunnel(upstream, {}, { upstream: { protocol: 'http2' } })

  const answer = await world.exchange(get())
  expect(answer).toMatch(/^HTTP\/1\.1 502 [^]*SLUICE_UPSTREAM_INVALID/)
  expect(answer).toContain('it does not speak HTTP/2')
})

test('an upstream that speaks HTTP/2 to a tunnel of HTTP/1.1 is told from a broken one', async () => {
  await using world = await createWorld()
  const server = createServer()
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => undefined))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => void server.close())
  await world.tunnel(portOf(server))

  expect(await world.exchange(get())).toContain(
    'it speaks HTTP/2 (name the target h2c://host:port)',
  )
})

test('a reader that stops holds up its own stream alone, and the upstream with it', async () => {
  let written = 0
  await using around = await tunnelTo((stream, headers) => {
    stream.respond({ ':status': 200 })
    if (headers[':path'] !== '/large') {
      stream.end('reached')
      return
    }
    const more = (): void => {
      while (!stream.destroyed && written < 200_000_000) {
        written += 65_536
        if (!stream.write(Buffer.alloc(65_536))) return
      }
    }
    stream.on('drain', more)
    more()
  })
  const visitor = await around.world.visitor()
  visitor.send(get('/large'))
  await visitor.until((received) => received.includes('\r\n\r\n'))
  visitor.socket.pause()

  const session = h2Visitor(around.world, certificate.cert)
  for (let round = 0; round < 20; round += 1) {
    expect((await h2Get(session)).body.toString()).toBe('reached')
  }

  // The windows of the tunnel, of the sockets, and of the two streams.
  expect(written).toBeLessThan(60_000_000)
})

test('an upstream that has heard enough of an upload ends it for its visitor', async () => {
  await using around = await tunnelTo((stream) => {
    stream.once('data', () => {
      stream.respond({ ':status': 413 })
      stream.end('enough')
      stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
    })
  })
  const stream = h2Visitor(around.world, certificate.cert).request({
    ':method': 'POST',
    ':authority': host,
  })
  stream.write(Buffer.alloc(10_000))

  expect(await answerOf(stream)).toMatchObject({
    status: 413,
    reset: 0,
    body: Buffer.from('enough'),
  })
})

/** RST_STREAM and nothing else: node:http2 would end the stream first. */
function bareReset(stream: ServerHttp2Stream, code: number): void {
  const name = Object.getOwnPropertySymbols(stream).find((one) => String(one) === 'Symbol(kHandle)')
  const handle: { rstStream(code: number): void } | undefined = name && Reflect.get(stream, name)
  handle?.rstStream(code)
}
