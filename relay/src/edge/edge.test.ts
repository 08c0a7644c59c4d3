import { createHash } from 'node:crypto'
import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { createWorld, host, portOf, type World } from '../testing/world.ts'

const get = (path = '/', headers = '') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`

/** An upstream that answers each connection with fixed bytes after the first request bytes. */
async function rawUpstream(world: World, answer: string, end = false): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => (end ? socket.end(answer) : socket.write(answer)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.use(() => void server.close())
  return portOf(server)
}

test('a request reaches the upstream and its response the visitor', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    response.end(request.url)
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(get('/abc'))

  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer.endsWith('\r\n\r\n/abc')).toBe(true)
})

test('an upload with Content-Length and one in chunks arrive byte for byte, trailers included', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () =>
      response.end(`${hash.digest('hex')} ${request.trailers['x-sum'] ?? ''}`),
    )
  })
  await world.tunnel(upstream)
  const body = Buffer.alloc(1_048_576, 'abcdefghij')
  const digest = createHash('sha256').update(body).digest('hex')

  const first = await world.visitor()
  first.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n`)
  first.send(body)
  const second = await world.visitor()
  second.send(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n`,
  )
  for (let at = 0; at < body.length; at += 100_000) {
    const piece = body.subarray(at, at + 100_000)
    second.send(`${piece.length.toString(16)}\r\n`)
    second.send(piece)
    second.send('\r\n')
  }
  second.send('0\r\nx-sum: seven\r\n\r\n')

  expect(await first.until((received) => received.includes(digest))).toMatch(/^HTTP\/1\.1 200 /)
  expect(await second.until((received) => received.includes(`${digest} seven`))).toMatch(
    /^HTTP\/1\.1 200 /,
  )
})

test('a response of unknown length arrives in chunks with its trailers, and the connection goes on', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    response.setHeader('trailer', 'x-end')
    response.write('one')
    response.addTrailers({ 'x-end': 'yes' })
    response.end('two')
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await visitor.until((received) => received.endsWith('x-end: yes\r\n\r\n'))
  visitor.received = ''
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)

  expect(await visitor.until((received) => received.endsWith('x-end: yes\r\n\r\n'))).toMatch(
    /^HTTP\/1\.1 200/,
  )
})

test('pipelined requests are answered in order', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => response.end(`[${request.url}]`))
  await world.tunnel(upstream)
  const paths = Array.from({ length: 50 }, (_, index) => `/${index}`)

  const visitor = await world.visitor()
  visitor.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(''))
  const received = await visitor.until((text) => text.includes('[/49]'))

  expect(received.match(/\[\/\d+\]/g)).toEqual(paths.map((path) => `[${path}]`))
})

test('HEAD, 204 and 304 have no body and keep the connection', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/head') response.setHeader('content-length', 1000)
    else response.statusCode = Number(request.url?.slice(1))
    response.end()
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  for (const line of ['HEAD /head', 'GET /204', 'GET /304', 'GET /200']) {
    visitor.received = ''
    visitor.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const head = await visitor.until((received) => received.includes('\r\n\r\n'))
    expect(head.indexOf('\r\n\r\n')).toBe(head.length - 4)
  }
})

test('100-continue and 103 pass, and the body follows the 100', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    request.on('data', (chunk: Buffer) => response.end(`got ${chunk.toString()}`))
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`,
  )
  await visitor.until((received) => received.includes('HTTP/1.1 100 Continue'))
  visitor.send('body')
  const received = await visitor.until((text) => text.includes('got body'))

  expect(received).toContain('HTTP/1.1 103 Early Hints')
})

test('an upgraded connection passes bytes both ways, those in the same segment too, and half-closes', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream(() => undefined)
  upstream.on('upgrade', (_request, socket, head: Buffer) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nearly',
    )
    socket.write(head)
    socket.pipe(socket)
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst`,
  )
  await visitor.until((received) => received.endsWith('earlyfirst'))
  visitor.send(' second')
  await visitor.until((received) => received.endsWith(' second'))
  visitor.socket.end()

  expect(await visitor.rest()).toContain('101 Switching Protocols')
})

test('an h2c upgrade is never passed on', async () => {
  await using world = await createWorld()
  const seen: unknown[] = []
  const upstream = await world.upstream((request, response) => {
    seen.push(request.headers.upgrade, request.headers['http2-settings'])
    response.end('plain')
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n`,
  )

  expect(answer).toContain('plain')
  expect(seen).toEqual([undefined, undefined])
})

test('forwarding fields are the relay’s own, whatever the visitor sends or names in Connection', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    response.end(JSON.stringify(request.rawHeaders))
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n` +
      `X-Forwarded-Proto: https\r\nsluice-error: x\r\nConnection: close, x-forwarded-for, x-private\r\nX-Private: 1\r\nProxy-Authorization: x\r\n\r\n`,
  )

  expect(answer).not.toContain('6.6.6.6')
  const headers: string[] = JSON.parse(/\[.*\]/.exec(answer)?.[0] ?? '[]')
  expect(headers).toEqual([
    'Host',
    host,
    'X-Forwarded-For',
    '127.0.0.1',
    'X-Forwarded-Proto',
    'http',
    'X-Forwarded-Host',
    host,
  ])
})

test('an upstream cannot set sluice-error, nor a cookie for all tunnels', async () => {
  await using world = await createWorld()
  const port = await rawUpstream(
    world,
    'HTTP/1.1 200 OK\r\nSluice-Error: SLUICE_TUNNEL_OFFLINE\r\nsluice_error: x\r\nSet-Cookie: a=1; Domain=tunnel.test\r\nSet-Cookie: b=2; Path=/\r\n' +
      // Browsers go by the last domain, trim names, and send a cookie without a name as if its value were one.
      'Set-Cookie: c=3; Domain=other.test; Domain=.Tunnel.Test\r\nSet-Cookie: sluice-visit =yes\r\nSet-Cookie: =sluice-visit=yes\r\n' +
      'Set-Cookie: d=4; Domain=app.tunnel.test\r\nContent-Length: 2\r\n\r\nok',
  )
  await world.tunnel(port)

  const answer = await world.exchange(get())

  expect(answer.toLowerCase()).not.toContain('sluice')
  expect(answer).not.toMatch(/a=1|c=3/)
  expect(answer).toContain('b=2')
  expect(answer).toContain('d=4')
})

const asked = (lines: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n\r\n`

test.for([
  ['two Host headers', `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n\r\n`],
  ['no Host header', 'GET / HTTP/1.1\r\n\r\n'],
  [
    'length beside chunks',
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'two lengths',
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  ],
  ['a folded line', `GET / HTTP/1.1\r\nHost: ${host}\r\nA: b\r\n c\r\n\r\n`],
  ['a bare LF', `GET / HTTP/1.1\nHost: ${host}\n\n`],
  ['a bare CR', `GET / HTTP/1.1\r\nHost: ${host}\r\nA: b\rc\r\n\r\n`],
  [
    'chunks in HTTP/1.0',
    `POST / HTTP/1.0\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['another host in the target', `GET http://evil.test/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
  ['a space before the colon', `GET / HTTP/1.1\r\nHost : ${host}\r\n\r\n`],
  ['a Host with userinfo', `GET / HTTP/1.1\r\nHost: x@${host}\r\n\r\n`],
  ['a name that reads like a forwarding field', asked('X_Forwarded_For: 6.6.6.6')],
  ['a mixed one of those', asked('x-real_ip: 6.6.6.6')],
  ['a name that reads like a framing field', asked('Content_Length: 5')],
  ['a name that reads like the relay’s own', asked('sluice_error: x')],
  ['CONNECT', `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
] as const)('%s is refused with 400 and the connection closes', async ([, request]) => {
  await using world = await createWorld()
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))

  const answer = await world.exchange(request)

  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toContain('sluice-error: SLUICE_REQUEST_MALFORMED')
  expect(answer).not.toContain('reached')
})

test.for([
  ['a bad chunk size', 'zz\r\n'],
  ['a chunk longer than its size', '1\r\nab\r\n'],
  ['a forbidden trailer', '0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n'],
] as const)('%s is refused and aborts the request at the upstream', async ([, chunk]) => {
  await using world = await createWorld()
  const aborted = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const upstream = await world.upstream((request) => {
    arrived.resolve()
    request.on('error', () => aborted.resolve())
    request.resume()
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`)
  await arrived.promise
  visitor.send(chunk)

  expect(await visitor.rest()).toContain('SLUICE_REQUEST_MALFORMED')
  await aborted.promise
})

test('a head beyond the limit is refused with 431, one that does not end with 408', async () => {
  await using world = await createWorld({ headTimeoutMs: 1_000 })

  const large = await world.exchange(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${'c'.repeat(70_000)}\r\n\r\n`,
  )
  const slow = await world.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n`)

  expect(large).toMatch(/^HTTP\/1\.1 431 /)
  expect(slow).toMatch(/^HTTP\/1\.1 408 /)
})

test('a head of nearly the limit passes', async () => {
  await using world = await createWorld()
  const port = await rawUpstream(world, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  await world.tunnel(port)

  const answer = await world.exchange(get('/', `Cookie: ${'c'.repeat(65_000)}\r\n`))

  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test.for([
  ['breaks HTTP', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc', false],
  ['closes without a head', '', true],
  ['switches protocols unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', false],
] as const)('an upstream that %s is a 502', async ([, answer, end]) => {
  await using world = await createWorld()
  await world.tunnel(await rawUpstream(world, answer, end))

  expect(await world.exchange(get())).toContain('sluice-error: SLUICE_UPSTREAM_INVALID')
})

test('a response that breaks off is seen to: no last chunk, fewer bytes than announced', async () => {
  await using world = await createWorld()
  await world.tunnel(
    await rawUpstream(world, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour', true),
  )
  const short = await world.exchange(get())
  await world.tunnel(
    await rawUpstream(
      world,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n',
      true,
    ),
    { epoch: 2 },
  )
  const chunked = await world.exchange(get())

  expect(short).toMatch(/Content-Length: 10\r\n[^]*\r\n\r\nfour$/)
  expect(chunked).toMatch(/\r\n\r\n4\r\nfour\r\n$/)
})

test('a response that ends with the connection is whole', async () => {
  await using world = await createWorld()
  await world.tunnel(await rawUpstream(world, 'HTTP/1.1 200 OK\r\n\r\nuntil the end', true))

  expect(await world.exchange(get())).toMatch(/d\r\nuntil the end\r\n0\r\n\r\n$/)
})

test('an upstream that refuses, or stays silent, is named', async () => {
  await using world = await createWorld({ responseHeadTimeoutMs: 1_000 })
  const silent = await world.upstream(() => undefined)
  await world.tunnel(silent)
  const timeout = await world.exchange(get())
  await world.tunnel(1, { epoch: 2 })
  const refused = await world.exchange(get('/', 'Accept: text/html\r\n'))

  expect(timeout).toMatch(/^HTTP\/1\.1 504 [^]*SLUICE_UPSTREAM_TIMEOUT/)
  expect(refused).toMatch(/^HTTP\/1\.1 502 [^]*SLUICE_UPSTREAM_REFUSED/)
  expect(refused).toContain('text/html')
  expect(refused).toContain('127.0.0.1:1')
})

test('a visitor who goes away aborts the request at the upstream', async () => {
  await using world = await createWorld()
  const arrived = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    response.write('data: 1\n\n')
    arrived.resolve()
    response.on('close', () => aborted.resolve())
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await arrived.promise
  visitor.socket.destroy()

  await expect(aborted.promise).resolves.toBeUndefined()
})

test('an event stream is passed on event by event', async () => {
  await using world = await createWorld({ responseHeadTimeoutMs: 1_000, idleTimeoutMs: 1_000 })
  const next = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    response.setHeader('content-type', 'text/event-stream').write('data: 1\n\n')
    void next.promise.then(() => response.write('data: 2\n\n'))
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await visitor.until((received) => received.includes('data: 1'))
  next.resolve()

  expect(await visitor.until((received) => received.includes('data: 2'))).toContain('data: 1')
})

test('a visitor who closes its half still gets the response', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_request, response) => {
    setImmediate(() => response.end('late'))
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.socket.end(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)

  expect(await visitor.rest()).toContain('late')
})

test('an early response reaches a visitor who is still uploading', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    response.writeHead(413, { connection: 'close' }).end('too much')
    request.socket.resume()
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(50_000)}`,
  )
  const received = await visitor.until((text) => text.includes('too much'))

  expect(received).toMatch(/^HTTP\/1\.1 413 [^]*Connection: close/)
})

test('a slow reader does not hold up another visitor of the same tunnel', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/large') response.end(Buffer.alloc(64 * 1_048_576))
    else response.end('small')
  })
  await world.tunnel(
    upstream,
    {},
    { windows: { streamWindowBytes: 65_536, sessionWindowBytes: 131_072 } },
  )
  const slow = await Promise.all(Array.from({ length: 20 }, () => world.visitor()))
  for (const visitor of slow) {
    visitor.socket.pause()
    visitor.send(`GET /large HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  }

  const answers = await Promise.all(Array.from({ length: 20 }, () => world.exchange(get('/small'))))

  expect(answers.every((answer) => answer.includes('small'))).toBe(true)
})

test('HTTP/1.0 visitors get plain bodies', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_request, response) => {
    response.write('a')
    response.end('b')
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`)

  expect(answer).toMatch(/Connection: close\r\n\r\nab$/)
})

test('Host can be rewritten for the upstream', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => response.end(request.headers.host))
  await world.tunnel(upstream, {}, { hostHeader: 'inner.test' })

  expect(await world.exchange(get('/', 'A: b\r\n'))).toContain('inner.test')
})

test('what the visitor may send is asked of the upstream: without its 100 no 100 comes, and a refusal ends the upload', async () => {
  await using world = await createWorld()
  const port = await rawUpstream(
    world,
    'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno',
  )
  await world.tunnel(port)
  const visitor = await world.visitor()

  visitor.send(
    `PUT / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n`,
  )
  const received = await visitor.until((text) => text.endsWith('no'))

  expect(received).toMatch(/^HTTP\/1\.1 417 /)
  expect(received).toContain('Connection: close')
})

test('an HTTP/1.0 visitor gets no interim response', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    response.end('done')
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`)

  expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*done$/)
})

test('interim responses have a limit, and cannot speak in the relay’s name', async () => {
  await using world = await createWorld()
  const hints = 'HTTP/1.1 103 Early Hints\r\nSluice-Error: x\r\nLink: </a>\r\n\r\n'
  await world.tunnel(await rawUpstream(world, hints.repeat(100)))

  const answer = await world.exchange(get())

  expect(answer).toContain('Link: </a>')
  expect(answer).toContain('sluice-error: SLUICE_UPSTREAM_INVALID')
  expect(answer).not.toContain('Error: x')
})

test.for([
  'Connection: close, host',
  'Connection: close, x_forwarded_for, x-forwarded-host, x-forwarded-proto',
  'Connection: close\r\nConnection: X-Forwarded-For',
  'Connection: close, authorization, cookie',
])('no trick takes the relay’s fields away, or those that policy reads (%s)', async (lines) => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    response.end(JSON.stringify(request.headers))
  })
  await world.tunnel(upstream)

  const answer = await world.exchange(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer mine\r\nCookie: a=1\r\n${lines}\r\n\r\n`,
  )

  expect(answer).not.toContain('6.6.6.6')
  expect(JSON.parse(/\{.*\}/.exec(answer)?.[0] ?? '{}')).toMatchObject({
    host,
    authorization: 'Bearer mine',
    cookie: 'a=1',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': host,
  })
})

test('trailers of an upstream cannot speak in the relay’s name either', async () => {
  await using world = await createWorld()
  const port = await rawUpstream(
    world,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSluice-Error: SLUICE_TUNNEL_OFFLINE\r\n\r\n',
  )
  await world.tunnel(port)

  expect((await world.exchange(get())).toLowerCase()).not.toContain('sluice')
})

test('after an upstream has closed its half of an upgraded connection, the visitor may still send', async () => {
  await using world = await createWorld()
  const got = Promise.withResolvers<string>()
  const upstream = await world.upstream(() => undefined)
  upstream.on('upgrade', (_request, socket) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('end', () => got.resolve(text))
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbye')
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`)
  expect(await visitor.rest()).toMatch(/bye$/)
  visitor.socket.end('after')

  expect(await got.promise).toBe('after')
})
