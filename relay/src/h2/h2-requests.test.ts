import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { answerOf, h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld, host, portOf, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)
const worldWithTls = (): Promise<World> => createWorld({ httpsPort: 0, certificate })
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

test('a request over HTTP/2 reaches an HTTP/1.1 upstream as it was', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) => {
    response.setHeader('X-Two', ['a', 'b'])
    response.end(JSON.stringify([request.method, request.url, ...request.rawHeaders]))
  })
  await world.tunnel(upstream)

  const answer = await h2Get(h2Visitor(world, certificate.cert), {
    ':path': '/a%2Fb/../c?q=%20x&y',
    cookie: ['a=1', 'b=2'],
    'x-twice': ['1', '2'],
    te: 'trailers',
  })

  expect(answer).toMatchObject({ status: 200, reset: 0, headers: { 'x-two': 'a, b' } })
  for (const name of ['connection', 'keep-alive', 'transfer-encoding'])
    expect(answer.headers).not.toHaveProperty(name)
  const [method, url, ...raw]: string[] = JSON.parse(answer.body.toString())
  expect([method, url]).toEqual(['GET', '/a%2Fb/../c?q=%20x&y'])
  const lines = raw.flatMap((name, at) => (at % 2 ? [] : [`${name}: ${raw[at + 1]}`]))
  expect(lines).toEqual(
    expect.arrayContaining([
      `Host: ${host}`,
      'cookie: a=1; b=2',
      'x-twice: 1',
      'x-twice: 2',
      'TE: trailers',
      'X-Forwarded-Proto: https',
      `X-Forwarded-Host: ${host}`,
    ]),
  )
})

test('many streams of one connection are answered, each with its own', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) => response.end(request.url))
  await world.tunnel(upstream)
  const session = h2Visitor(world, certificate.cert)

  const paths = Array.from({ length: 100 }, (_, index) => `/${index}`)
  const answers = await Promise.all(paths.map((path) => h2Get(session, { ':path': path })))

  expect(answers.map(({ body }) => body.toString())).toEqual(paths)
})

test('streams under way beside each other never get each other’s bytes', async () => {
  await using world = await worldWithTls()
  const bodyOf = (index: number): Buffer => Buffer.alloc(1_000 + 3_001 * index, `<${index}>`)
  const upstream = await world.upstream((request, response) => {
    const index = Number(request.url?.slice(1))
    const body = bodyOf(index)
    // Half of them in chunks, so that pieces of all sizes are on their way.
    if (index % 2 === 0) response.setHeader('Content-Length', body.length)
    for (let at = 0; at < body.length; at += 1_500 + 100 * index) {
      response.write(body.subarray(at, at + 1_500 + 100 * index))
    }
    response.end()
  })
  await world.tunnel(upstream, { maxConcurrentConns: 1_000 })
  const sessions = [h2Visitor(world, certificate.cert), h2Visitor(world, certificate.cert)]

  const wrong = await Promise.all(
    Array.from({ length: 120 }, async (_, at) => {
      const index = at % 60
      const session = sessions[at % 2] ?? h2Visitor(world, certificate.cert)
      const { status, reset, body } = await h2Get(session, { ':path': `/${index}` })
      return body.equals(bodyOf(index)) ? [] : [{ index, status, reset, bytes: body.length }]
    }),
  )

  expect(wrong.flat()).toEqual([])
})

test.for([
  ['with a length', true],
  ['without one', false],
] as const)('a large body %s goes up and comes down whole', async ([, withLength]) => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) => {
    const length = request.headers['content-length']
    if (length !== undefined) response.setHeader('Content-Length', length)
    request.pipe(response)
  })
  await world.tunnel(upstream)
  const sent = randomBytes(8_000_000)

  const length = withLength ? { 'content-length': sent.length } : {}
  const answer = await h2Get(
    h2Visitor(world, certificate.cert),
    { ':method': 'POST', ...length },
    (stream) => stream.end(sent),
  )

  expect(answer).toMatchObject({ status: 200, reset: 0 })
  expect(sha256(answer.body)).toBe(sha256(sent))
})

test('trailers pass both ways, and early hints before the response', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    request.resume().on('end', () => {
      response.writeHead(200, { Trailer: 'x-sum' })
      response.write('body')
      response.addTrailers({ 'x-sum': `for ${String(request.trailers['x-asked'])}` })
      response.end()
    })
  })
  await world.tunnel(upstream)
  const stream = h2Visitor(world, certificate.cert).request(
    { ':method': 'POST', ':authority': host },
    { waitForTrailers: true },
  )
  stream.once('wantTrailers', () => stream.sendTrailers({ 'x-asked': 'this' }))
  stream.end('question')

  const answer = await answerOf(stream)

  expect(answer).toMatchObject({ status: 200, reset: 0, trailers: { 'x-sum': 'for this' } })
  expect(answer.interim).toMatchObject([{ ':status': 103, link: '</a.css>; rel=preload' }])
  expect(answer.body.toString()).toBe('body')
})

test.for([
  ['HEAD', 200, '12'],
  ['GET', 204, undefined],
  ['GET', 304, undefined],
] as const)(
  'the answer to %s with %i has no body and ends in its head',
  async ([method, status, length]) => {
    await using world = await worldWithTls()
    const upstream = await world.upstream((_request, response) => {
      response.writeHead(status, length === undefined ? {} : { 'Content-Length': length })
      response.end()
    })
    await world.tunnel(upstream)

    const answer = await h2Get(h2Visitor(world, certificate.cert), { ':method': method })

    expect(answer).toMatchObject({ status, reset: 0, endedInHead: true })
    expect(answer.headers['content-length']).toBe(length)
    expect(answer.body.length).toBe(0)
  },
)

test('an upstream that breaks off is seen as a broken stream, never as a whole response', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/length') response.setHeader('Content-Length', 100)
    response.write('half')
    setTimeout(() => response.destroy(), 50)
  })
  await world.tunnel(upstream)
  const session = h2Visitor(world, certificate.cert)

  for (const path of ['/length', '/chunks']) {
    const answer = await h2Get(session, { ':path': path })
    expect(answer).toMatchObject({ status: 200, reset: 2 })
    expect(answer.body.toString()).toBe('half')
  }
  // The connection and its other streams go on.
  expect(session.destroyed).toBe(false)
})

test('a visitor that resets its stream aborts the request at the upstream', async () => {
  await using world = await worldWithTls()
  const arrived = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<string>()
  const upstream = await world.upstream((request, response) => {
    arrived.resolve()
    response.on('close', () => aborted.resolve(response.writableFinished ? 'answered' : 'cut'))
  })
  await world.tunnel(upstream)
  const stream = h2Visitor(world, certificate.cert).request({ ':authority': host })
  await arrived.promise

  stream.close(8)

  expect(await aborted.promise).toBe('cut')
})

test('an upload that its visitor resets with NO_ERROR does not look whole to the upstream', async () => {
  await using world = await worldWithTls()
  const ended = Promise.withResolvers<string>()
  const began = Promise.withResolvers<void>()
  const upstream = await world.upstream((request) => {
    request.on('data', () => began.resolve())
    request.on('end', () => ended.resolve('whole'))
    request.on('error', () => ended.resolve('aborted'))
  })
  await world.tunnel(upstream)
  const session = h2Visitor(world, certificate.cert)
  const stream = session.request({ ':method': 'POST', ':authority': host })
  stream.on('error', () => undefined)
  stream.write('half')
  await began.promise

  // node:http2 would first end the stream; a handle of its own sends the bare frame.
  const handle: { rstStream(code: number): void } = Reflect.get(
    stream,
    Object.getOwnPropertySymbols(stream).find((name) => String(name) === 'Symbol(kHandle)') ?? '',
  )
  handle.rstStream(0)

  expect(await ended.promise).toBe('aborted')
})

test('an answer before the upload is whole reaches its visitor, who is told to stop', async () => {
  await using world = await worldWithTls()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () =>
      socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => void server.close())
  await world.tunnel(portOf(server))
  const stream = h2Visitor(world, certificate.cert).request({
    ':method': 'POST',
    ':authority': host,
  })
  stream.write(Buffer.alloc(10_000))

  expect(await answerOf(stream)).toMatchObject({ status: 413, reset: 0, body: Buffer.from('big') })
})

test('what the edge says itself has its code over HTTP/2 too', async () => {
  await using world = await worldWithTls()
  const session = h2Visitor(world, certificate.cert)

  expect(await h2Get(session)).toMatchObject({
    status: 404,
    headers: {
      'sluice-error': 'SLUICE_TUNNEL_UNKNOWN',
      'content-type': 'application/problem+json',
    },
  })
  await world.tunnel(1)
  expect(await h2Get(session)).toMatchObject({
    status: 502,
    headers: { 'sluice-error': 'SLUICE_UPSTREAM_REFUSED' },
  })
})

test('address policy and the connections of the plan hold over HTTP/2, stream by stream', async () => {
  await using world = await worldWithTls()
  const arrived = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    arrived.resolve()
    void go.promise.then(() => response.end('reached'))
  })
  const closed = `closed.${apex}`
  await world.tunnel(upstream, { maxConcurrentConns: 1 })
  await world.tunnel(upstream, {
    tunnelId: 'tunnel-2',
    endpointHosts: [closed],
    policy: { denyIps: ['127.0.0.0/8'] },
  })
  const session = h2Visitor(world, certificate.cert)

  const first = h2Get(session)
  await arrived.promise
  expect(await h2Get(session)).toMatchObject({
    status: 429,
    headers: { 'sluice-error': 'SLUICE_CONNECTIONS_MAX', 'retry-after': '1' },
  })
  go.resolve()
  expect(await first).toMatchObject({ status: 200 })
  expect(await h2Get(session)).toMatchObject({ status: 200 })
  const denied = h2Visitor(world, certificate.cert, { servername: closed })
  expect(await h2Get(denied, { ':authority': closed })).toMatchObject({
    status: 403,
    headers: { 'sluice-error': 'SLUICE_IP_DENIED' },
  })
})

test('a connection that was made for one host serves no other', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((_request, response) => response.end('reached'))
  const other = `other.${apex}`
  await world.tunnel(upstream, { endpointHosts: [host, other] })
  const session = h2Visitor(world, certificate.cert)

  expect(await h2Get(session)).toMatchObject({ status: 200 })
  const answer = await h2Get(session, { ':authority': other })
  expect(answer).toMatchObject({
    status: 421,
    headers: { 'sluice-error': 'SLUICE_TLS_MODE_MISMATCH' },
  })
  const edge = h2Visitor(world, certificate.cert, { servername: `edge.${apex}` })
  expect(await h2Get(edge, { ':authority': `edge.${apex}` })).toMatchObject({ status: 404 })
})

test.for([
  ['a host that differs from the authority', { host: `other.${apex}` }],
  ['a path with bytes that HTTP/1.1 has none of', { ':path': '/a#b' }],
  ['an unknown expectation', { expect: 'much' }],
  ['a name that folds onto one of the relay’s', { x_forwarded_for: '10.0.0.2' }],
] as const)('%s is refused with 400', async ([, headers]) => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((_request, response) => response.end('reached'))
  await world.tunnel(upstream)

  expect(await h2Get(h2Visitor(world, certificate.cert), headers)).toMatchObject({
    status: 400,
    headers: { 'sluice-error': 'SLUICE_REQUEST_MALFORMED' },
  })
})

test('fields that only the relay may set do not pass', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) =>
    response.end(JSON.stringify(request.headers)),
  )
  await world.tunnel(upstream)

  const answer = await h2Get(h2Visitor(world, certificate.cert), {
    'x-forwarded-for': '10.0.0.1',
    'x-real-ip': '10.0.0.3',
  })

  expect(JSON.parse(answer.body.toString())).toMatchObject({ 'x-forwarded-for': '127.0.0.1' })
  expect(answer.body.toString()).not.toContain('10.0.0.')
})

test('a draining relay says GOAWAY, and what is under way ends in its own time', async () => {
  await using world = await worldWithTls()
  const arrived = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    arrived.resolve()
    void go.promise.then(() => response.end('whole'))
  })
  await world.tunnel(upstream)
  const session = h2Visitor(world, certificate.cert)
  const goneAway = once(session, 'goaway')
  const answer = h2Get(session)
  await arrived.promise

  const closed = world.relay.close()
  const [code] = await goneAway
  go.resolve()

  expect(code).toBe(0)
  expect(await answer).toMatchObject({ status: 200, reset: 0, body: Buffer.from('whole') })
  await closed
})
