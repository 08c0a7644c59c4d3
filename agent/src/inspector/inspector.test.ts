import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

import { expect, test } from 'vitest'

import { createTargetGuard } from '../target-guard.ts'
import { createExchangeStore, exchangeLimits, type ExchangeLimits } from './exchange-store.ts'
import { openInspector } from './inspector.ts'
import type { ExchangeDetail, ExchangeSummary } from './shown-exchange.ts'

const head = (line: string, ...fields: string[]) =>
  Buffer.from(`${[line, ...fields].join('\r\n')}\r\n\r\n`, 'latin1')

/** An inspector of one tunnel, `app`, and a service behind it. */
async function openWorld(
  listener: RequestListener = (_request, response) => void response.end('hello'),
  limits: Partial<ExchangeLimits> = {},
) {
  await using stack = new AsyncDisposableStack()
  const service = createServer(listener).listen(0, '127.0.0.1')
  await once(service, 'listening')
  stack.defer(() => {
    service.close()
    service.closeAllConnections()
  })
  const store = createExchangeStore({ ...exchangeLimits, ...limits })
  const inspector = await openInspector({ port: 0, store })
  stack.defer(() => inspector.close())
  const port = (service.address() as AddressInfo).port
  const guard = createTargetGuard()
  const tap = inspector.inspect('app', {
    upstream: { host: 'localhost', port, tls: false },
    hostHeader: 'preserve',
    guard,
  })

  function ask(path: string, options: Ask = {}): Promise<Answer> {
    const asking = request({
      host: '127.0.0.1',
      port: inspector.port,
      path,
      method: options.method ?? 'GET',
      agent: false,
      headers: options.headers ?? {},
    })
    asking.end(options.body)
    return new Promise((resolve, reject) => {
      asking.once('error', reject)
      asking.once('response', (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        )
      })
    })
  }
  const token = /name="sluice-token" content="([^"]+)"/.exec((await ask('/')).text)?.[1] ?? ''
  const origin = inspector.url
  const owned = stack.move()
  return {
    inspector,
    store,
    tap,
    port,
    ask,
    own: { origin, 'x-sluice-token': token },
    /** One exchange as the forwarder tells of it. */
    pass(path: string, { method = 'GET', fields = [], body = '', answer = 'ok' }: Pass = {}) {
      const exchange = tap(
        head(`${method} ${path} HTTP/1.1`, 'Host: app.test', ...fields),
        '192.0.2.7',
      )
      if (body !== '') exchange.onRequestData(Buffer.from(body))
      exchange.onResponseHead(head('HTTP/1.1 200 OK', 'Content-Type: text/plain'))
      exchange.onResponseData(Buffer.from(answer))
      exchange.onEnd({ code: undefined, cut: false })
      return store.list()[0]?.id ?? ''
    },
    list: async () =>
      (JSON.parse((await ask('/api/exchanges')).text) as { exchanges: ExchangeSummary[] })
        .exchanges,
    detail: async (id: string) =>
      JSON.parse((await ask(`/api/exchanges/${id}`)).text) as ExchangeDetail,
    async replay(id: string, edits: object = {}) {
      const answer = await ask(`/api/exchanges/${id}/replay`, {
        method: 'POST',
        headers: { origin, 'x-sluice-token': token },
        body: JSON.stringify(edits),
      })
      return {
        status: answer.status,
        ...(JSON.parse(answer.text) as { id?: string; error?: string }),
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}
interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}
interface Pass {
  readonly method?: string
  readonly fields?: readonly string[]
  readonly body?: string
  readonly answer?: string | Buffer
}

test('an exchange is listed and can be read whole', async () => {
  await using world = await openWorld()
  const id = world.pass('/a?b=1', { method: 'POST', body: '{"x":1}', fields: ['X-A: 1', 'X-A: 2'] })

  expect(await world.list()).toMatchObject([
    { id, tunnel: 'app', method: 'POST', path: '/a?b=1', status: 200, requestBytes: 7 },
  ])
  expect(await world.detail(id)).toMatchObject({
    visitor: '192.0.2.7',
    requestHead: {
      fields: [
        ['Host', 'app.test'],
        ['X-A', '1'],
        ['X-A', '2'],
      ],
    },
    requestBody: { text: '{"x":1}' },
    responseBody: { text: 'ok', totalBytes: 2, keptBytes: 2 },
  })
})

test('a body over the limit is cut, and the page is told how much is missing', async () => {
  await using world = await openWorld(undefined, { bodyBytesMax: 10 })
  const id = world.pass('/', { answer: 'x'.repeat(25) })

  expect((await world.detail(id)).responseBody).toMatchObject({
    text: 'x'.repeat(10),
    keptBytes: 10,
    totalBytes: 25,
  })
})

test('memory is bounded by count and by bytes: the oldest goes first', async () => {
  await using world = await openWorld(undefined, { exchangesMax: 3, keptBytesMax: 20_000 })
  for (const path of ['/1', '/2', '/3', '/4']) world.pass(path)
  expect((await world.list()).map(({ path }) => path)).toEqual(['/4', '/3', '/2'])

  world.pass('/large', { answer: 'x'.repeat(18_500) })
  expect((await world.list()).map(({ path }) => path)).toEqual(['/large'])
})

test('an exchange that was dropped while it goes on takes no more memory', () => {
  const store = createExchangeStore({ ...exchangeLimits, exchangesMax: 1 })
  const open = store.tap('app')
  const first = open(head('GET /1 HTTP/1.1'), '')
  const kept = store.list()[0]
  open(head('GET /2 HTTP/1.1'), '')

  first.onResponseData(Buffer.alloc(100))
  first.onEnd({ code: undefined, cut: false })

  expect(kept?.responseBody).toMatchObject({ totalBytes: 100, keptBytes: 0 })
  expect(store.list()).toHaveLength(1)
})

test('compressed text is shown as text, and a bomb as it came', async () => {
  await using world = await openWorld()
  const open = (body: Buffer) => {
    const exchange = world.tap(head('GET / HTTP/1.1'), '')
    exchange.onResponseHead(head('HTTP/1.1 200 OK', 'Content-Encoding: gzip'))
    exchange.onResponseData(body)
    exchange.onEnd({ code: undefined, cut: false })
    return world.detail(world.store.list()[0]?.id ?? '')
  }
  const text = gzipSync('hello '.repeat(100))

  expect((await open(text)).responseBody).toMatchObject({ decoded: 'gzip', text: /^hello/ })
  // Half of it is still worth reading.
  expect((await open(text.subarray(0, text.length - 8))).responseBody.text).toContain('hello')
  expect((await open(gzipSync(Buffer.alloc(8_000_000)))).responseBody).toMatchObject({
    decoded: null,
    text: null,
  })
})

test('the frames of a WebSocket are shown in the order of their arrival', async () => {
  await using world = await openWorld()
  const exchange = world.tap(head('GET /socket HTTP/1.1', 'Upgrade: websocket'), '')
  exchange.onResponseHead(head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'))
  const mask = [1, 2, 3, 4]
  const masked = [...Buffer.from('ping')].map((byte, at) => byte ^ (mask[at & 3] ?? 0))
  exchange.onRequestData(Buffer.from([0x81, 0x84, ...mask, ...masked]))
  exchange.onResponseData(Buffer.from([0x81, 4, ...Buffer.from('pong'), 0x88, 2]))
  exchange.onResponseData(Buffer.from([3, 232]))

  expect((await world.detail('1')).frames).toMatchObject([
    { from: 'visitor', kind: 'text', text: 'ping' },
    { from: 'service', kind: 'text', text: 'pong' },
    { from: 'service', kind: 'close', bytes: 2, text: null },
  ])
})

test('a replay goes to the service as the request was, and becomes an exchange of its own', async () => {
  const seen: string[] = []
  await using world = await openWorld((asked, response) => {
    let body = ''
    asked.on('data', (chunk) => (body += String(chunk)))
    asked.once('end', () => {
      seen.push(`${asked.method} ${asked.url} ${body} ${asked.rawHeaders.join('|')}`)
      response.writeHead(201, { 'x-answer': 'yes' }).end('again')
    })
  })
  const id = world.pass('/order', {
    method: 'POST',
    body: 'one',
    fields: ['X-Case: a', 'Transfer-Encoding: chunked', 'Connection: keep-alive'],
  })

  const { status, id: made = '' } = await world.replay(id)

  expect(status).toBe(201)
  expect(seen[0]).toMatch(/^POST \/order one Host\|app\.test\|X-Case\|a\|Content-Length\|3/)
  expect(seen[0]).not.toContain('Transfer-Encoding')
  expect(await world.detail(made)).toMatchObject({
    replayOf: id,
    status: 201,
    responseBody: { text: 'again' },
  })
})

test('a replay with edits sends what was edited', async () => {
  const seen: string[] = []
  await using world = await openWorld((asked, response) => {
    asked.on('data', (chunk) => seen.push(String(chunk)))
    seen.push(`${asked.method} ${asked.url} ${String(asked.headers['x-new'])}`)
    asked.once('end', () => response.end())
  })
  const edits = { method: 'PUT', path: '/b', headers: [['X-New', '1']], body: 'ünd' }

  expect((await world.replay(world.pass('/a'), edits)).status).toBe(201)
  expect(seen).toEqual(['PUT /b 1', 'ünd'])
})

test('a replay follows no redirect', async () => {
  const seen: string[] = []
  await using world = await openWorld((asked, response) => {
    seen.push(asked.url ?? '')
    response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
  })

  await world.replay(world.pass('/'))

  expect(seen).toEqual(['/'])
  expect((await world.list())[0]).toMatchObject({ status: 302 })
})

test.for([
  [{ path: 'http://169.254.169.254/latest' }, /begins with a slash/],
  [{ path: '/a b' }, /no spaces/],
  [{ path: '/a\r\nX: y' }, /no spaces/],
  [{ method: 'GET /x HTTP/1.1\r\nX: y' }, /one word/],
  [{ method: 'CONNECT' }, /one word/],
  [{ headers: [['X\r\nY', 'z']] }, /header/],
  [{ headers: [['X', 'a\r\nY: z']] }, /header/],
] as const)('edits that would be another request are refused: %#', async ([edits, reason]) => {
  await using world = await openWorld()

  expect(await world.replay(world.pass('/'), edits)).toMatchObject({
    status: 409,
    error: expect.stringMatching(reason),
  })
})

test('a body that was cut is not replayed as if it were whole', async () => {
  await using world = await openWorld(undefined, { bodyBytesMax: 2 })
  const id = world.pass('/', { method: 'POST', body: 'long' })

  expect(await world.replay(id)).toMatchObject({ status: 409, error: /kept in part/ })
  expect(await world.replay(id, { body: 'new' })).toMatchObject({ status: 201 })
})

test('a tunnel that leads to a metadata service is not replayed to', async () => {
  await using world = await openWorld()
  world.inspector.inspect('app', {
    upstream: { host: '169.254.169.254', port: 80, tls: false },
    hostHeader: 'preserve',
    guard: createTargetGuard(),
  })

  expect(await world.replay(world.pass('/'))).toMatchObject({
    status: 409,
    error: expect.stringContaining('169.254.169.254 is refused'),
  })
  expect(await world.list()).toHaveLength(1)
})

test('a service that is away makes a replay fail, visibly', async () => {
  await using world = await openWorld()
  world.inspector.inspect('app', {
    upstream: { host: '127.0.0.1', port: 1, tls: false },
    hostHeader: 'preserve',
    guard: createTargetGuard(),
  })

  const { id = '' } = await world.replay(world.pass('/'))
  expect(await world.detail(id)).toMatchObject({ status: null, code: 'SLUICE_UPSTREAM_REFUSED' })
})

test.for([
  ['another name, as DNS rebinding has it', { host: 'evil.test:PORT' }],
  ['another port', { host: '127.0.0.1:1' }],
  ['another origin', { origin: 'https://evil.test' }],
  ['an opaque origin', { origin: 'null' }],
  ['a request of another site', { 'sec-fetch-site': 'cross-site' }],
  ['another port of this machine', { 'sec-fetch-site': 'same-site' }],
] as const)('reading is refused for %s', async ([, headers]) => {
  await using world = await openWorld()
  world.pass('/secret')
  const own = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    value.replace('PORT', String(world.inspector.port)),
  ])

  for (const path of ['/', '/api/exchanges', '/api/events', '/api/exchanges/1']) {
    const { status, text } = await world.ask(path, { headers: Object.fromEntries(own) })
    expect(status).toBe(403)
    expect(text).not.toContain('secret')
  }
})

test('changing needs the token and the origin of the page', async () => {
  await using world = await openWorld()
  const id = world.pass('/')
  const { origin } = world.own
  const attempts: Record<string, string>[] = [
    {},
    { origin },
    { 'x-sluice-token': world.own['x-sluice-token'] },
    { origin, 'x-sluice-token': 'wrong' },
  ]

  for (const headers of attempts) {
    for (const path of ['/api/clear', `/api/exchanges/${id}/replay`]) {
      expect((await world.ask(path, { method: 'POST', headers })).status).toBe(403)
    }
  }
  expect(await world.list()).toHaveLength(1)
  expect((await world.ask('/api/clear', { method: 'POST', headers: world.own })).status).toBe(200)
  expect(await world.list()).toEqual([])
})

test('what it serves may load nothing from elsewhere, nor be framed or cached', async () => {
  await using world = await openWorld()
  const { headers } = await world.ask('/')

  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(headers['content-security-policy']).not.toContain('unsafe')
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  })
  expect(headers['access-control-allow-origin']).toBeUndefined()
})

test('a body larger than any edit is not read to its end', async () => {
  await using world = await openWorld()
  const id = world.pass('/')
  const asking = world.ask(`/api/exchanges/${id}/replay`, {
    method: 'POST',
    headers: world.own,
    body: 'x'.repeat(3 * 1024 * 1024),
  })

  await expect(asking).rejects.toThrow(/hang up|ECONNRESET|EPIPE/)
})

test('it listens on loopback alone, and a port that is taken is said', async () => {
  await using world = await openWorld()

  await expect(openInspector({ port: world.inspector.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  const socket = connect(world.inspector.port, '::1')
  // Refused, or there is no IPv6 here at all.
  const [error] = await once(socket, 'error')
  expect(error).toMatchObject({ syscall: 'connect' })
})
