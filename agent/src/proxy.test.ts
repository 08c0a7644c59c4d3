import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { createApi } from './api.ts'
import { fixtureAuthtoken, fixtureViewer, openGraphFixture } from './graph-fixture.ts'
import { requestText } from './http-request.ts'
import { connectThroughProxy, createProxyAgent, proxyFromEnvironment } from './proxy.ts'
import { dial } from './session/dial.ts'
import { findViewer } from './viewer.ts'

const portOf = (server: Server) => (server.address() as AddressInfo).port

/** A CONNECT proxy that leads every name to one port of this machine, as a company's would lead out. */
async function openProxy(port: number, credentials?: string) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createHttpServer((_request, response) => response.writeHead(405).end())
  server.on('connect', (request, socket: Socket) => {
    const given = request.headers['proxy-authorization']?.replace('Basic ', '') ?? ''
    if (credentials !== undefined && Buffer.from(given, 'base64').toString() !== credentials) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
      return
    }
    asked.push(request.url ?? '')
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const each of [socket, onward]) {
      sockets.add(each)
      each.on('error', () => undefined)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    asked,
    url: (userinfo = '') => `http://${userinfo}127.0.0.1:${portOf(server)}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

test('the graph is asked through the proxy, with the credentials that its address holds', async () => {
  await using graph = await openGraphFixture({ viewer: fixtureViewer })
  await using proxy = await openProxy(graph.port, 'ada:p w')
  const proxyOf = proxyFromEnvironment({ HTTP_PROXY: proxy.url('ada:p%20w@') })
  const api = createApi({
    server: 'http://sluice.example.test',
    authtoken: fixtureAuthtoken,
    proxyOf,
  })

  expect(await findViewer(api)).toMatchObject({ user: { name: 'Ada' } })
  expect(proxy.asked).toEqual(['sluice.example.test:80'])
})

test('a proxy that wants a password says so, and the password is not repeated', async () => {
  await using proxy = await openProxy(1, 'ada:right')
  const proxyOf = proxyFromEnvironment({ https_proxy: proxy.url('ada:hunter2@') })
  const asking = requestText(new URL('https://sluice.example.test/'), {
    timeoutMs: 5_000,
    answerBytesMax: 10,
    proxyOf,
  })

  const error = await asking.catch((failure: unknown) => String(failure))
  expect(error).toContain('wants a user and a password (407)')
  expect(error).not.toContain('hunter2')
})

test('behind the proxy an https address is spoken to in TLS, end to end', async () => {
  const first = Promise.withResolvers<Buffer>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (chunk: Buffer) => {
      first.resolve(chunk)
      socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using proxy = await openProxy(portOf(server))
  const proxyOf = proxyFromEnvironment({ HTTPS_PROXY: proxy.url() })

  const asking = requestText(new URL('https://sluice.example.test:8443/'), {
    timeoutMs: 5_000,
    answerBytesMax: 10,
    proxyOf,
  })
  await expect(asking).rejects.toThrow(/socket|TLS|disconnected|reset|hang up/i)
  const hello = await first.promise
  server.close()

  expect(proxy.asked).toEqual(['sluice.example.test:8443'])
  expect(hello[0]).toBe(0x16)
  expect(hello.includes('sluice.example.test')).toBe(true)
})

test('the relay is dialled through the proxy', async () => {
  const relay = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(relay, 'listening')
  await using proxy = await openProxy((relay.address() as AddressInfo).port)
  const proxyOf = proxyFromEnvironment({ ALL_PROXY: proxy.url() })

  const { socket } = await dial(
    'ws://edge.example.test/_sluice/session',
    { agentVersion: '1', proxyOf },
    new AbortController().signal,
  )
  socket.destroy()
  relay.close()

  expect(proxy.asked).toEqual(['edge.example.test:80'])
})

test('a WebSocket of the graph goes through the proxy as well', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  await using proxy = await openProxy((server.address() as AddressInfo).port)
  const url = new URL('ws://sluice.example.test/graphql')

  const socket = new WebSocket(url, { agent: createProxyAgent(new URL(proxy.url()), url, {}) })
  await once(socket, 'open')
  socket.terminate()
  server.close()

  expect(proxy.asked).toEqual(['sluice.example.test:80'])
})

test('a proxy that is not there, and one that refuses, are named', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const port = portOf(closed)
  closed.close()
  await once(closed, 'close')
  const refusing = createHttpServer()
  refusing.on('connect', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
  refusing.listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  const at = { host: 'x.test', port: 443 }

  const dead = connectThroughProxy(new URL(`http://127.0.0.1:${port}`), at, {})
  await expect(dead).rejects.toThrow(/the proxy 127\.0\.0\.1:\d+ cannot be reached/)
  const forbidden = connectThroughProxy(new URL(`http://127.0.0.1:${portOf(refusing)}`), at, {})
  await expect(forbidden).rejects.toThrow('refused the connection (403)')
  refusing.close()
})

const chosen = (env: Record<string, string>, url: string, named?: string) =>
  proxyFromEnvironment(env, named)(new URL(url))?.host ?? null

test('HTTPS_PROXY is for https and wss, HTTP_PROXY for the rest, and a flag for all', () => {
  const env = { HTTPS_PROXY: 'http://secure:1', http_proxy: 'plain:2' }

  expect(chosen(env, 'https://a.test')).toBe('secure:1')
  expect(chosen(env, 'wss://a.test')).toBe('secure:1')
  expect(chosen(env, 'http://a.test')).toBe('plain:2')
  expect(chosen(env, 'https://a.test', 'http://flag:3')).toBe('flag:3')
  expect(chosen({}, 'https://a.test')).toBeNull()
  expect(() => proxyFromEnvironment({ HTTPS_PROXY: 'socks5://x:1' })).toThrow(/not valid/)
})

test('this machine is never reached through a proxy', () => {
  for (const host of ['localhost:4000', 'edge.tunnel.localhost', '127.0.0.1', '[::1]']) {
    expect(chosen({ ALL_PROXY: 'http://p:1' }, `http://${host}`)).toBeNull()
  }
})

test.for([
  ['example.test', 'https://example.test', true],
  ['example.test', 'https://a.example.test', true],
  ['.example.test', 'https://a.example.test', true],
  ['*.example.test', 'https://a.example.test', true],
  ['example.test', 'https://notexample.test', false],
  ['example.test:8443', 'https://example.test', false],
  ['example.test:443', 'https://example.test', true],
  ['10.0.0.0/8', 'https://10.1.2.3', true],
  ['10.0.0.0/8', 'https://11.1.2.3', false],
  ['fd00::/8', 'https://[fd00::1]', true],
  ['*', 'https://anything.test', true],
  ['other.test, example.test', 'https://example.test', true],
] as const)('NO_PROXY=%s and %s: direct is %s', ([exceptions, url, isDirect]) => {
  const env = { HTTPS_PROXY: 'http://p:1', NO_PROXY: exceptions }

  expect(chosen(env, url) === null).toBe(isDirect)
})
