import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

import { unusedPort } from '@sluice/kit/unused-port'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { redisChannels, redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test, vi } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import type { RelayOptions } from '../server.ts'
import { Relays } from '../testing/relays.ts'
import { Visitor, type World } from '../testing/world.ts'

const waitMs = { timeout: 15_000 }
const [addressA, addressB] = ['127.0.0.1', '127.0.0.2']

type Claims = Partial<AgentTokenClaims> & Pick<AgentTokenClaims, 'tunnelId'>

/** Two relays with the same port, each on an address of its own, and claims of a tunnel there. */
async function openTwo(options: Partial<RelayOptions> = {}) {
  const port = await unusedPort()
  const range = { first: port, last: port }
  // Nobody waits for agents of the tests, which go nowhere by themselves.
  const ports = { tcpPorts: range, udpPorts: range, drainMs: 0, ...options }
  const all = new Relays(inject('redisUrl'))
  const a = await all.start('a', { ...ports, host: addressA })
  const b = await all.start('b', { ...ports, host: addressB })
  const claims: Claims = {
    ...all.claims(),
    endpointHosts: [],
    kind: 'tcp',
    endpointPort: port,
  }
  return { all, a, b, port, claims, ports }
}

async function upstreamOf(world: World, accept: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    accept(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.use(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return server
}

function saying(world: World, text: string): Promise<Server> {
  return upstreamOf(world, (socket) => void socket.end(text))
}

async function visit(host: string, port: number): Promise<Visitor> {
  const socket = connect({ port, host, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return new Visitor(socket)
}

/** Visits until the port is open there. */
function visitOnceOpen(host: string, port: number): Promise<Visitor> {
  return vi.waitFor(() => visit(host, port), waitMs)
}

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect({ port, host })
  socket.on('error', () => undefined)
  const open = await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    once(socket, 'close').then(() => false),
  ])
  socket.destroy()
  return open
}

/** How a socket ends: the code of its error, or `closed`. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('close', () => resolve('closed'))
  })
}

test('a port is open at the other relay too, and each half of a connection ends by itself', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  const upstream = await upstreamOf(a, (socket) => {
    socket.write('hello, ')
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    socket.on('end', () => socket.end(`got ${bytes}`))
  })
  await a.tunnel(upstream, claims)

  const visitor = await visitOnceOpen(addressB, port)
  await visitor.until((text) => text === 'hello, ')
  visitor.socket.end(Buffer.alloc(300_000))

  expect(await visitor.rest()).toBe('hello, got 300000')
})

test('a reset of either side is a reset for the other across relays', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  const upstreamEnd = Promise.withResolvers<string>()
  const upstream = await upstreamOf(a, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      if (chunk.toString() === 'reset') socket.resetAndDestroy()
      else {
        socket.write('ready')
        upstreamEnd.resolve(endOf(socket))
      }
    })
  })
  await a.tunnel(upstream, claims)

  const first = await visitOnceOpen(addressB, port)
  const end = endOf(first.socket)
  first.send('reset')
  expect(await end).toBe('ECONNRESET')

  const second = await visit(addressB, port)
  second.send('go')
  await second.until((text) => text === 'ready')
  second.socket.resetAndDestroy()
  expect(await upstreamEnd.promise).toBe('ECONNRESET')
})

test('the holder decides by the visitor’s own address, which the upstream learns', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  const upstream = await upstreamOf(a, (socket) => void socket.pipe(socket))
  await a.tunnel(upstream, claims, { proxyProtocol: 1 })
  const visitor = await visitOnceOpen(addressB, port)
  const { localPort, localAddress } = visitor.socket
  visitor.socket.end('bytes')
  expect(await visitor.rest()).toMatch(
    new RegExp(`^PROXY TCP4 ${localAddress} \\S+ ${localPort} ${port}\r\nbytes$`),
  )

  await a.tunnel(upstream, { ...claims, epoch: 2, policy: { denyIps: ['127.0.0.0/8'] } })

  const denied = await visit(addressB, port)
  expect(await endOf(denied.socket)).toBe('ECONNRESET')
  const metrics = await fetch(`http://${addressA}:${a.relay.adminPort}/metrics`)
  expect(await metrics.text()).toMatch(/reason="address"[^\n]* 1\n/)
})

test('an agent that moves keeps its port on both relays, and the older epoch never serves again', async () => {
  const { all, a, b, port, claims } = await openTwo()
  await using _ = all
  const old = await a.tunnel(await saying(a, 'old'), claims)
  expect(await (await visitOnceOpen(addressB, port)).rest()).toBe('old')

  await b.tunnel(await saying(b, 'new'), { ...claims, epoch: 2 })

  expect(await old.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  for (const address of [addressA, addressB, addressA, addressB]) {
    expect(await (await visit(address, port)).rest()).toBe('new')
  }
})

test('visitors wait wherever they are while an agent goes from one relay to the other', async () => {
  const { all, a, b, port, claims } = await openTwo()
  await using _ = all
  const first = await a.tunnel(await saying(a, 'first'), claims)
  expect(await (await visitOnceOpen(addressB, port)).rest()).toBe('first')
  const upstream = await saying(b, 'second')
  first.socket.destroy()
  await first.closed

  const waiting = [await visit(addressA, port), await visit(addressB, port)]
  await b.tunnel(upstream, claims)

  for (const visitor of waiting) expect(await visitor.rest()).toBe('second')
})

test('a tunnel that is stopped closes its port everywhere', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  const agent = await a.tunnel(await saying(a, 'served'), claims)
  await visitOnceOpen(addressB, port)

  agent.session.goAway({ reason: 'stopped', graceMs: 0 })
  agent.session.close()
  await agent.closed

  await expect.poll(() => isOpen(addressA, port), waitMs).toBe(false)
  await expect.poll(() => isOpen(addressB, port), waitMs).toBe(false)
})

test('a tunnel that is deleted while its agent is away closes its port everywhere', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  const agent = await a.tunnel(await saying(a, 'served'), claims)
  await visitOnceOpen(addressB, port)
  agent.socket.destroy()
  await agent.closed
  expect(await isOpen(addressA, port)).toBe(true)
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())

  const revocation = { kind: 'tunnel', id: claims.tunnelId, at: new Date().toISOString() }
  await redis.publish(redisChannels.revocations, JSON.stringify(revocation))

  await expect.poll(() => isOpen(addressA, port), waitMs).toBe(false)
  await expect.poll(() => isOpen(addressB, port), waitMs).toBe(false)
})

test('a port that nobody serves, and one outside a relay’s range, stay closed', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  const elsewhere = await unusedPort()
  const third = {
    host: '127.0.0.3',
    tcpPorts: { first: elsewhere, last: elsewhere },
    drainMs: 0,
  }
  await all.start('c', third)
  expect(await isOpen(addressB, port)).toBe(false)

  await a.tunnel(await saying(a, 'served'), claims)
  await visitOnceOpen(addressB, port)

  expect(await isOpen(third.host, port)).toBe(false)
  expect(await isOpen(third.host, elsewhere)).toBe(false)
})

test('a relay that starts later learns the ports that are served', async () => {
  const { all, a, port, claims, ports } = await openTwo()
  await using _ = all
  await a.tunnel(await saying(a, 'served'), claims)
  await visitOnceOpen(addressB, port)

  const third = { ...ports, host: '127.0.0.3' }
  await all.start('c', third)

  expect(await (await visitOnceOpen(third.host, port)).rest()).toBe('served')
})

test('ports go on while Redis has forgotten everything', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  await a.tunnel(await saying(a, 'served'), claims)
  expect(await (await visitOnceOpen(addressB, port)).rest()).toBe('served')
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())

  const name = `tcp:${port}`
  await redis.del(redisKeys.routes(claims.tunnelId), redisKeys.routeOf(name))
  await redis.hdel(redisKeys.ports, name)

  expect(await (await visit(addressB, port)).rest()).toBe('served')
})

test('processes behind one port all lead to the agent, whichever has it', async () => {
  const { all, a, b, port, claims, ports } = await openTwo({ reusePort: true })
  await using _ = all
  const c = await all.start('c', { ...ports, host: addressA })
  const answers = (text: string) =>
    vi.waitFor(async () => {
      const visits = Array.from({ length: 12 }, async () => (await visit(addressA, port)).rest())
      expect(await Promise.all(visits)).toEqual(visits.map(() => text))
    }, waitMs)
  const first = await a.tunnel(await saying(a, 'first'), claims)
  await answers('first')

  await c.tunnel(await saying(c, 'second'), claims)
  first.socket.destroy()
  await answers('second')

  await b.tunnel(await saying(b, 'third'), { ...claims, epoch: 2 })
  await answers('third')
})

test('of processes behind one port the one that has the agent gets all datagrams', async () => {
  const { all, a, port, claims, ports } = await openTwo({ reusePort: true })
  await using _ = all
  const c = await all.start('c', { ...ports, host: addressA })
  const udp = { ...claims, kind: 'udp' as const }
  const first = await a.tunnel(await answering(a, 'first'), udp)
  expect(await ask(port)).toBe('first')

  await c.tunnel(await answering(c, 'second'), udp)

  // The session there lives on, as that of an agent does whose machine went to sleep.
  await vi.waitFor(async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(port)))
    expect(answers).toEqual(answers.map(() => 'second'))
  }, waitMs)
  expect(first.session.closed).toBe(false)
})

/** An upstream that answers each datagram with a text. */
async function answering(world: World, text: string): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  world.use(() => void socket.close())
  socket.on('message', (_bytes, from) => socket.send(text, from.port, from.address))
  return socket.address().port
}

/** What a visitor of its own is answered. Datagrams may be lost, even on loopback. */
async function ask(port: number): Promise<string> {
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  const answered = once(socket, 'message') as Promise<[Buffer]>
  const again = setInterval(() => socket.send('?', port, addressA), 1_000)
  socket.send('?', port, addressA)
  const [answer] = await answered
  clearInterval(again)
  return answer.toString()
}

test('between relays with TLS the bytes and their ends are the same', async () => {
  const own = selfSigned('relays.test')
  const peer = {
    host: '127.0.0.1',
    port: 0,
    secret: crypto.randomUUID(),
    certificate: own,
    ca: own.cert,
  }
  const { all, a, port, claims } = await openTwo({ peer })
  await using _ = all
  const upstream = await upstreamOf(a, (socket) => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (chunk.toString() === 'reset') socket.resetAndDestroy()
    })
    socket.on('end', () => socket.end(`got ${bytes}`))
  })
  await a.tunnel(upstream, claims)

  const visitor = await visitOnceOpen(addressB, port)
  visitor.socket.end(Buffer.alloc(300_000))
  expect(await visitor.rest()).toBe('got 300000')
  const second = await visit(addressB, port)
  const end = endOf(second.socket)
  second.send('reset')
  expect(await end).toBe('ECONNRESET')
})
