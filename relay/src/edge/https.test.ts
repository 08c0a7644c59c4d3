import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { apex, createWorld, host, type World } from '../testing/world.ts'
import { selfSigned } from './self-signed.ts'

const certificate = selfSigned(apex)
const trusting = { ca: certificate.cert, servername: host }

const worldWithTls = (): Promise<World> => createWorld({ httpsPort: 0, certificate })
const get = (name = host) => `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`

async function exchange(world: World, request: string, options: object = trusting) {
  const visitor = await world.tlsVisitor(options)
  visitor.send(request)
  return visitor.rest()
}

test('a request over HTTPS reaches the upstream, which learns that it was HTTPS', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream((request, response) =>
    response.end(`by ${String(request.headers['x-forwarded-proto'])}`),
  )
  await world.tunnel(upstream)

  expect(await exchange(world, get())).toMatch(/^HTTP\/1\.1 200 [^]*by https$/)
  expect(await exchange(world, get(`${host.toUpperCase()}:8443`))).toMatch(/^HTTP\/1\.1 200 /)
})

test.for([
  ['another name of the apex', `other.${apex}`],
  ['no name', ''],
] as const)('a Host that the TLS handshake did not name (%s) is misdirected', async ([, named]) => {
  await using world = await worldWithTls()
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))

  const answer = await exchange(world, get(), {
    ca: certificate.cert,
    servername: named,
    checkServerIdentity: () => undefined,
  })

  expect(answer).toMatch(/^HTTP\/1\.1 421 [^]*SLUICE_TLS_MODE_MISMATCH/)
  expect(answer).not.toContain('reached')
})

test('a later request of the same connection cannot turn to another host', async () => {
  await using world = await worldWithTls()
  await world.tunnel(
    await world.upstream((request, response) => response.end(`for ${request.headers.host}`)),
    { endpointHosts: [host, `other.${apex}`] },
  )
  const visitor = await world.tlsVisitor(trusting)

  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await visitor.until((received) => received.endsWith(`for ${host}`))
  visitor.send(get(`other.${apex}`))

  expect(await visitor.rest()).toMatch(/HTTP\/1\.1 421 /)
})

test('the name of the handshake is compared without case', async () => {
  await using world = await worldWithTls()
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))

  expect(await exchange(world, get(), { ...trusting, servername: host.toUpperCase() })).toContain(
    'reached',
  )
})

test('TLS 1.1 is refused, 1.2 and 1.3 are taken', async () => {
  await using world = await worldWithTls()
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const

  await expect(world.tlsVisitor({ ...trusting, ...old })).rejects.toThrow(/protocol version/)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const visitor = await world.tlsVisitor({
      ...trusting,
      minVersion: version,
      maxVersion: version,
    })
    visitor.send(get())
    expect(await visitor.rest()).toMatch(/^HTTP\/1\.1 404 /)
  }
})

test('a visitor that speaks plain HTTP to the TLS port is told what to do', async () => {
  await using world = await worldWithTls()
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))
  const url = `http://127.0.0.1:${world.relay.httpsPort}/`

  const program = await fetch(url)
  const browser = await fetch(url, { headers: { accept: 'text/html' } })

  expect(program.status).toBe(400)
  expect(await program.json()).toMatchObject({ code: 'SLUICE_TLS_EXPECTED' })
  expect(await browser.text()).toContain('This port speaks HTTPS.')
  expect(await exchange(world, get())).toContain('reached')
})

test('a WebSocket over HTTPS echoes text and bytes, and closes with its code', async () => {
  await using world = await worldWithTls()
  const upstream = await world.upstream(() => undefined)
  const server = new WebSocketServer({ server: upstream })
  server.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  )
  await world.tunnel(upstream)
  const bytes = Buffer.alloc(200_000, 'abc')

  const visitor = new WebSocket(`wss://127.0.0.1:${world.relay.httpsPort}/chat`, {
    ...trusting,
    headers: { host },
  })
  const received: unknown[] = []
  const closed = Promise.withResolvers<number>()
  visitor.on('open', () => {
    visitor.send('hello')
    visitor.send(bytes)
  })
  visitor.on('message', (data: Buffer, isBinary) => {
    received.push(isBinary ? data : data.toString())
    if (received.length === 2) visitor.close(4000)
  })
  visitor.on('close', closed.resolve)
  visitor.on('error', closed.reject)

  expect(await closed.promise).toBe(4000)
  expect(received).toEqual(['hello', bytes])
})

test('an agent’s session may come over TLS, by the edge host’s name alone', async () => {
  await using world = await worldWithTls()
  const handshake = (named: string) =>
    exchangeHead(world, named, `GET /_sluice/session HTTP/1.1\r\nHost: edge.${apex}\r\n`)

  expect(await handshake(`edge.${apex}`)).toMatch(/^HTTP\/1\.1 101 /)
  expect(await handshake(host)).toMatch(/^HTTP\/1\.1 421 /)
})

async function exchangeHead(world: World, servername: string, start: string): Promise<string> {
  const visitor = await world.tlsVisitor({ ca: certificate.cert, servername })
  visitor.send(
    `${start}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  )
  return visitor.until((received) => received.includes('\r\n\r\n'))
}
