import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'

import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { Visitor, apex, createWorld, host, type World } from '../testing/world.ts'
import type { HandshakeResult } from './tls-listener.ts'

const certificate = selfSigned(apex)
const trusting = { ca: certificate.cert, servername: host }
const get = (name = host) => `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`
const waitMs = 20_000

async function reachedWorld(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = await createWorld({ httpsPort: 0, certificate, ...options })
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))
  return world
}

async function exchange(
  world: World,
  options: object = trusting,
  request = get(),
): Promise<string> {
  const visitor = await world.tlsVisitor(options)
  visitor.send(request)
  return visitor.rest()
}

/** A connection to the TLS port that has said nothing. */
async function dial(world: World, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: world.relay.httpsPort ?? 0, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  world.use(() => void socket.destroy())
  await once(socket, 'connect')
  return socket.setNoDelay(true)
}

/** Waits until so many handshakes have ended in this way. */
const untilResult = (world: World, result: HandshakeResult, count: number): Promise<void> =>
  untilMetric(world, `sluice_relay_tls_handshakes_total{result="${result}",part="relay"} ${count}`)

const untilConnections = (world: World, count: number): Promise<void> =>
  untilMetric(world, `sluice_relay_visitor_connections{part="relay"} ${count}`)

async function untilMetric(world: World, line: string): Promise<void> {
  for (;;) {
    const metrics = await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)
    if ((await metrics.text()).split('\n').includes(line)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A TLS handshake whose first flight is cut up by `pieces` before it leaves. */
async function handshakeIn(
  world: World,
  pieces: (hello: Buffer) => Iterable<Buffer>,
): Promise<TLSSocket> {
  const socket = await dial(world)
  let first = true
  const cut = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      const parts = first ? [...pieces(chunk)] : [chunk]
      first = false
      void (async () => {
        for (const part of parts) {
          socket.write(part)
          // A turn for each, so that each is a segment of its own.
          await new Promise(setImmediate)
        }
        done()
      })()
    },
    final: (done) => socket.end(done),
  })
  socket.on('data', (chunk: Buffer) => cut.push(chunk)).on('end', () => cut.push(null))
  const secure = connectTls({ socket: cut, ...trusting })
  await once(secure, 'secureConnect')
  return secure
}

function* bytesOf(hello: Buffer): Iterable<Buffer> {
  for (let at = 0; at < hello.length; at += 1) yield hello.subarray(at, at + 1)
}

function* recordsOf(hello: Buffer): Iterable<Buffer> {
  const message = hello.subarray(5)
  for (let at = 0; at < message.length; at += 100) {
    const piece = message.subarray(at, at + 100)
    yield Buffer.concat([Buffer.from([22, 3, 1, 0, piece.length]), piece])
  }
}

test.for([
  ['byte by byte', bytesOf],
  ['in many records', recordsOf],
] as const)('a handshake whose hello comes %s is served', async ([, pieces]) => {
  await using world = await reachedWorld()

  const socket = await handshakeIn(world, pieces)
  const visitor = new Visitor(socket)
  visitor.send(get())

  expect(await visitor.rest()).toMatch(/^HTTP\/1\.1 200 [^]*reached/)
})

test(
  'who says nothing, or half a hello, is let go after the time for it',
  { timeout: waitMs },
  async () => {
    await using world = await reachedWorld({ tlsLimits: { helloTimeoutMs: 2_000 } })
    const silent = await dial(world)
    const half = await dial(world)
    half.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]))

    await Promise.all([silent, half].map((socket) => once(socket.resume(), 'close')))

    await untilResult(world, 'timeout', 2)
    expect(await exchange(world)).toContain('reached')
  },
)

test('a handshake that stops behind its hello is let go, too', { timeout: waitMs }, async () => {
  await using world = await reachedWorld({ tlsLimits: { handshakeTimeoutMs: 2_000 } })
  const stopped = await dial(world)
  let hello: Buffer | undefined
  const sink = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      hello ??= chunk
      done()
    },
  })
  connectTls({ socket: sink, ...trusting }).on('error', () => undefined)
  while (!hello) await new Promise(setImmediate)
  stopped.write(hello)

  await once(stopped.resume(), 'close')

  await untilResult(world, 'failed', 1)
  expect(await exchange(world)).toContain('reached')
})

test(
  'a thousand half-finished handshakes leave others untouched',
  { timeout: 60_000 },
  async () => {
    await using world = await reachedWorld({
      connectionsMax: 2_000,
      tlsLimits: { helloTimeoutMs: 60_000, handshakesPerAddressMax: 2_000 },
    })
    const halves = await Promise.all(Array.from({ length: 1_000 }, () => dial(world)))
    for (const half of halves) half.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]))
    await untilConnections(world, 1000)

    expect(await exchange(world)).toContain('reached')

    for (const half of halves) half.destroy()
    await untilResult(world, 'gone', 1000)
    await untilConnections(world, 0)
  },
)

test('one address has so many handshakes under way, and others are served meanwhile', async () => {
  await using world = await reachedWorld({ tlsLimits: { handshakesPerAddressMax: 5 } })
  const held = await Promise.all(Array.from({ length: 5 }, () => dial(world, '127.0.0.2')))
  await untilConnections(world, 5)

  const refused = await dial(world, '127.0.0.2')
  await once(refused.resume(), 'close')

  expect(await exchange(world)).toContain('reached')
  expect(held.filter(({ destroyed }) => destroyed)).toEqual([])
  held[0]?.destroy()
  await untilResult(world, 'gone', 1)
  expect(await exchange(world, { ...trusting, localAddress: '127.0.0.2' })).toContain('reached')
})

test('connections in a handshake count as connections: others wait for them', async () => {
  await using world = await reachedWorld({ connectionsMax: 3 })
  const held = await Promise.all(Array.from({ length: 3 }, () => dial(world)))
  await untilConnections(world, 3)

  const waits = exchange(world)
  for (const socket of held) socket.destroy()

  expect(await waits).toContain('reached')
  await untilResult(world, 'gone', 3)
})

test('bytes that are not TLS end their own connection alone', async () => {
  await using world = await reachedWorld()
  for (const bytes of [
    Buffer.from([0x80, 0x2e, 1]),
    Buffer.from([22, 3, 1, 0, 0]),
    Buffer.alloc(9),
  ]) {
    const socket = await dial(world)
    socket.write(bytes)
    await once(socket.resume(), 'close')
  }

  await untilResult(world, 'malformed', 3)
  expect(await exchange(world)).toContain('reached')
})

test('without a certificate for a name the handshake is refused with the alert for it', async () => {
  await using world = await createWorld({ httpsPort: 0 })

  await expect(world.tlsVisitor(trusting)).rejects.toThrow(/unrecognized name/)
})

async function sessionOf(world: World, options: object): Promise<Buffer> {
  const visitor = await world.tlsVisitor({ ca: certificate.cert, ...options })
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  // TLS 1.3 sends its tickets behind the handshake, and before the response.
  await visitor.until((received) => received.endsWith('reached'))
  const session = (visitor.socket as TLSSocket).getSession()
  if (!session) throw new TypeError('no session')
  return session
}

async function isReused(world: World, options: object): Promise<boolean> {
  const visitor = await world.tlsVisitor({ ca: certificate.cert, ...options })
  const reused = (visitor.socket as TLSSocket).isSessionReused()
  visitor.socket.destroy()
  return reused
}

test.for(['TLSv1.2', 'TLSv1.3'] as const)(
  'a %s session is resumed under its own name, and under no other',
  async (version) => {
    const other = `other.${apex}`
    await using world = await createWorld({ httpsPort: 0, certificate })
    const upstream = await world.upstream((_request, response) => response.end('reached'))
    await world.tunnel(upstream, { endpointHosts: [host, other] })
    const versions = { minVersion: version, maxVersion: version }

    const session = await sessionOf(world, { servername: host, ...versions })

    expect(await isReused(world, { servername: host, session, ...versions })).toBe(true)
    expect(await isReused(world, { servername: other, session, ...versions })).toBe(false)
    expect(await isReused(world, { servername: `nobody.${apex}`, session, ...versions })).toBe(
      false,
    )
  },
)

test('the Host of a resumed session must be the name of the new handshake', async () => {
  const other = `other.${apex}`
  await using world = await createWorld({ httpsPort: 0, certificate })
  const upstream = await world.upstream((_request, response) => response.end('reached'))
  await world.tunnel(upstream, { endpointHosts: [host, other] })
  const session = await sessionOf(world, { servername: host })

  const answer = await exchange(world, { ...trusting, servername: other, session }, get(host))

  expect(answer).toMatch(/^HTTP\/1\.1 421 /)
})

test('a visitor cannot renegotiate, and its connection goes on', async () => {
  await using world = await reachedWorld()
  const visitor = await world.tlsVisitor({ ...trusting, maxVersion: 'TLSv1.2' })

  const refused = await new Promise<Error | null>((resolve) => {
    const { socket } = visitor
    socket.once('error', resolve)
    ;(socket as TLSSocket).renegotiate({}, resolve)
  })

  expect(refused).toBeInstanceOf(Error)
  expect(await exchange(world)).toContain('reached')
})

/** A TLS server of the developer's own, behind a tunnel. */
async function tlsUpstream(world: World, name: string) {
  const own = selfSigned(name)
  const server = createTlsServer({ ...own }, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (chunk: Buffer) => socket.end(`seen ${chunk.toString()}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.use(() => void server.close())
  return { server, ca: own.cert }
}

const passedHost = `passed.${apex}`

test('the bytes of a passthrough tunnel reach its own certificate, HTTP of others the relay’s', async () => {
  await using world = await reachedWorld()
  const { server, ca } = await tlsUpstream(world, passedHost)
  await world.tunnel(server, {
    tunnelId: 'tunnel-2',
    kind: 'tls',
    tlsMode: 'passthrough',
    endpointHosts: [passedHost],
  })

  const visitor = await world.tlsVisitor({ ca, servername: passedHost.toUpperCase() })
  visitor.send('hello')

  expect(await visitor.rest()).toBe('seen hello')
  expect(await exchange(world)).toContain('reached')
  await untilResult(world, 'passed', 1)
})

test('a passthrough host is not served as HTTP, on either port', async () => {
  await using world = await reachedWorld()
  const { server } = await tlsUpstream(world, passedHost)
  await world.tunnel(server, {
    tunnelId: 'tunnel-2',
    kind: 'tls',
    tlsMode: 'passthrough',
    endpointHosts: [passedHost],
  })

  expect(await world.exchange(get(passedHost))).toMatch(/^HTTP\/1\.1 421 /)
  expect(await exchange(world, trusting, get(passedHost))).toMatch(/^HTTP\/1\.1 421 /)
})

test('a tunnel of kind tls that is terminated here sends the plain bytes to its agent', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate })
  const upstream = await world.upstream((request, response) => response.end(`plain ${request.url}`))
  await world.tunnel(upstream, { kind: 'tls', tlsMode: 'terminate' })

  expect(await exchange(world)).toMatch(/^HTTP\/1\.1 200 [^]*plain \//)
  expect(await world.exchange(get())).toMatch(/^HTTP\/1\.1 421 /)
})

test('HTTP/2 is held to the name of the handshake, too', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate })
  const upstream = await world.upstream((_request, response) => response.end('reached'))
  await world.tunnel(upstream, { endpointHosts: [host, `other.${apex}`] })
  const session = h2Visitor(world, certificate.cert)

  expect((await h2Get(session)).status).toBe(200)
  expect((await h2Get(session, { ':authority': `other.${apex}` })).status).toBe(421)
})
