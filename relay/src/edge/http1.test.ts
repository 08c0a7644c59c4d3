import { createServer, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { createWorld, host, portOf, type World } from '../testing/world.ts'

const once = 'Connection: close\r\n'
const ask = (line: string, lines = once, body = ''): string =>
  `${line} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n${body}`

/** An upstream of bytes: hears each connection, and what came on it so far. */
async function bytesUpstream(
  world: World,
  hear: (received: string, socket: Socket, connection: number) => void,
): Promise<number> {
  let connections = 0
  const server = createServer((socket) => {
    const connection = (connections += 1)
    let received = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      hear(received, socket, connection)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.use(() => void server.close())
  return portOf(server)
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** The bytes that an upstream gets for a request. */
async function forwarded(
  request: string,
  isWhole = (received: string) => received.includes('\r\n\r\n'),
): Promise<string> {
  await using world = await createWorld()
  let got = ''
  await world.tunnel(
    await bytesUpstream(world, (received, socket) => {
      got = received
      if (isWhole(received)) socket.end(ok)
    }),
  )
  expect(await world.exchange(request)).toMatch(/^HTTP\/1\.1 200 /)
  return got
}

test.for([
  '/a//b/../c/./%2e%2F%7e?x=%20&&y=/?#'.slice(0, -1),
  '//evil.test/',
  '/\\evil',
  '/;a=b',
  '/?',
  "/'!$&()*+,:@|^`{}<>",
])('the path %s reaches the upstream byte for byte', async (path) => {
  expect(await forwarded(ask(`GET ${path}`))).toMatch(
    new RegExp(`^GET ${RegExp.escape(path)} HTTP/1\\.1\\r\\n`),
  )
})

test.for(['PURGE', 'M-SEARCH', 'TRACE', 'x', "!#$%&'*+-.^_`|~9", 'A'.repeat(32)])(
  'the method %s passes',
  async (method) => {
    expect(await forwarded(ask(`${method} /`))).toMatch(
      new RegExp(`^${RegExp.escape(method)} / HTTP`),
    )
  },
)

test('header fields keep their order, case, duplicates and values', async () => {
  const lines =
    'x-B: 2\r\nX-a: 1\r\nX-A: !  spaced\tout\r\nACCEPT: */*\r\nx-empty:\r\nCookie: a=1\r\ncookie: b=2\r\n'

  expect(await forwarded(ask('GET /', lines + once))).toContain(`\r\n${lines}X-Forwarded-For`)
})

test('absolute form for the same host becomes a path, and OPTIONS * stays what it is', async () => {
  expect(await forwarded(ask(`GET http://${host.toUpperCase()}/a?b`))).toMatch(
    /^GET \/a\?b HTTP\/1\.1\r\n/,
  )
  expect(await forwarded(ask('OPTIONS *'))).toMatch(/^OPTIONS \* HTTP\/1\.1\r\n/)
})

test('a GET may have a body, and a request its trailers', async () => {
  const got = await forwarded(ask('GET /', `Content-Length: 4\r\n${once}`, 'body'), (text) =>
    text.endsWith('body'),
  )
  const chunked = await forwarded(
    ask(
      'POST /',
      `Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nTE: trailers\r\n${once}`,
      '4;ext=1\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n',
    ),
    (text) => text.includes('X-Sum: 7\r\n\r\n'),
  )

  expect(got).toMatch(/Content-Length: 4\r\n[^]*\r\n\r\nbody$/)
  expect(chunked).toMatch(/\r\nTrailer: X-Sum\r\n[^]*\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n$/)
  expect(chunked).toContain('TE: trailers')
})

test('a range is the upstream’s to answer', async () => {
  await using world = await createWorld()
  let range = ''
  const upstream = await world.upstream((request, response) => {
    range = request.headers.range ?? ''
    response.writeHead(206, { 'content-range': 'bytes 2-3/10', 'content-length': 2 }).end('cd')
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(ask('GET /', `Range: bytes=2-3\r\n${once}`))

  expect(answer).toMatch(/^HTTP\/1\.1 206 [^]*content-range: bytes 2-3\/10\r\n[^]*\r\n\r\ncd$/i)
  expect(range).toBe('bytes=2-3')
})

test.for([
  'Content-Length: 1',
  'Host: a',
  'Transfer-Encoding: chunked',
  'Set-Cookie: a=b',
  'X_Forwarded_For: a',
  'Vary: x',
  ' folded',
])('the trailer “%s” of an upstream breaks its response off', async (trailer) => {
  await using world = await createWorld()
  await world.tunnel(
    await bytesUpstream(world, (_received, socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailer}\r\n\r\n`,
      )
    }),
  )

  const answer = await world.exchange(ask('GET /'))

  expect(answer).toMatch(/\r\n\r\n2\r\nok\r\n$/)
})

/** What an upstream adds to a response that was whole already, and when. */
const excess: readonly (readonly [string, (socket: Socket, more: string) => void])[] = [
  ['with the response', (socket, more) => socket.write(ok + more)],
  [
    'a moment later',
    (socket, more) => {
      socket.write(ok)
      setImmediate(() => socket.write(more))
    },
  ],
]
test.for(excess)('a second response that an upstream sends %s reaches nobody', async ([, send]) => {
  await using world = await createWorld()
  const stolen = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen'
  const port = await bytesUpstream(world, (received, socket, connection) => {
    if (connection === 1) send(socket, stolen)
    else if (received.endsWith('\r\n\r\n')) socket.write(ok)
  })
  await world.tunnel(port)

  const first = await world.exchange(ask('GET /1'))
  const others = await Promise.all(Array.from({ length: 5 }, () => world.exchange(ask('GET /2'))))

  expect(first).toMatch(/ok$/)
  for (const answer of others) expect(answer).toMatch(/ok$/)
})

test('a response that was there before its request is never taken for the answer', async () => {
  await using world = await createWorld()
  const { promise: kept, resolve: keep } = Promise.withResolvers<Socket>()
  const port = await bytesUpstream(world, (received, socket, connection) => {
    if (connection === 1) keep(socket)
    // The kept connection says nothing more by itself.
    if (connection > 1 || !received.includes('/2')) socket.write(ok)
  })
  await world.tunnel(port)
  await world.exchange(ask('GET /1'))
  const poisoned = await kept

  // In one turn: the agent finds the request and the stale response in the same poll.
  const visitor = await world.visitor()
  poisoned.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen')
  visitor.send(ask('GET /2'))

  expect(await visitor.rest()).not.toContain('stolen')
})

test.for([
  ['longer than it said', 'Content-Length: 1', 'long', /\r\n\r\nl$/],
  ['shorter than it said', 'Content-Length: 9', 'short', /\r\n\r\nshort$/],
] as const)('a body %s is never completed from elsewhere', async ([, length, body, expected]) => {
  await using world = await createWorld()
  await world.tunnel(
    await bytesUpstream(world, (_received, socket, connection) => {
      if (connection === 1) socket.end(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n${body}`)
      else socket.write(ok)
    }),
  )

  expect(await world.exchange(ask('GET /1'))).toMatch(expected)
  expect(await world.exchange(ask('GET /2'))).toMatch(/\r\n\r\nok$/)
})

test('silence is no reason to end a response, an upload that is answered, or an upgraded connection', async () => {
  await using world = await createWorld({
    headTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
    responseHeadTimeoutMs: 1_000,
    bodyTimeoutMs: 1_000,
  })
  const upstream = await world.upstream((request, response) => {
    response.write('begun ')
    const end = (): void => void response.end('ended')
    if (request.method === 'GET') setTimeout(end, 2_500)
    else request.on('end', end).resume()
  })
  upstream.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await world.tunnel(upstream)
  const [reader, uploader, upgraded] = [
    await world.visitor(),
    await world.visitor(),
    await world.visitor(),
  ]

  reader.send(ask('GET /'))
  uploader.send(ask('POST /', `Content-Length: 4\r\n${once}`, 'bo'))
  upgraded.send(ask('GET /', 'Connection: Upgrade\r\nUpgrade: x\r\n'))
  const read = await reader.rest()
  uploader.send('dy')
  upgraded.send('still here')

  expect(read).toContain('ended')
  expect(await uploader.rest()).toContain('ended')
  expect(await upgraded.until((text) => text.endsWith('still here'))).toContain('101')
})

test('an upload that stands still is ended with 408 by policy, and aborted at the upstream', async () => {
  await using world = await createWorld({ bodyTimeoutMs: 1_000 })
  const aborted = Promise.withResolvers<void>()
  const upstream = await world.upstream((request) => {
    request.on('error', () => aborted.resolve()).resume()
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(ask('POST /', 'Content-Length: 100\r\n', 'some'))

  expect(answer).toMatch(/^HTTP\/1\.1 408 [^]*SLUICE_REQUEST_TIMEOUT/)
  await aborted.promise
})

test('an upload that the upstream does not take is not the visitor’s fault', async () => {
  await using world = await createWorld({ bodyTimeoutMs: 1_000 })
  const body = Buffer.alloc(12 * 1_048_576, 'x')
  let bytes = 0
  const upstream = await world.upstream((request, response) => {
    setTimeout(() => {
      request
        .on('data', (chunk: Buffer) => (bytes += chunk.length))
        .on('end', () => response.end('taken'))
    }, 2_500)
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(ask('POST /', `Content-Length: ${body.length}\r\n${once}`))
  visitor.send(body)

  expect(await visitor.rest()).toMatch(/taken$/)
  expect(bytes).toBe(body.length)
})

test('a visitor that takes nothing for too long is cut off where that is set', async () => {
  await using world = await createWorld({ unreadTimeoutMs: 1_000 })
  const cut = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    response.on('close', () => cut.resolve())
    response.end(Buffer.alloc(64 * 1_048_576))
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()
  visitor.socket.pause()

  visitor.send(ask('GET /'))

  await expect(cut.promise).resolves.toBeUndefined()
})

test('an upgraded connection that the visitor resets is no clean end to the upstream', async () => {
  await using world = await createWorld()
  const ended = Promise.withResolvers<string>()
  const upstream = await world.upstream(() => undefined)
  upstream.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
    socket.on('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? ''))
    socket.on('end', () => ended.resolve('end'))
    socket.resume()
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(ask('GET /', 'Connection: Upgrade\r\nUpgrade: x\r\n'))
  await visitor.until((text) => text.includes('101'))
  visitor.socket.resetAndDestroy()

  expect(await ended.promise).toBe('ECONNRESET')
})
