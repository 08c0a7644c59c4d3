import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

import { unusedPort } from '@sluice/kit/unused-port'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { expect, inject, onTestFinished, test, vi } from 'vitest'

import { Relays } from '../testing/relays.ts'
import type { World } from '../testing/world.ts'

const waitMs = { timeout: 15_000 }
const anything = Buffer.from('?')
const fromDenied = Buffer.from('hello')
const [addressA, addressB] = ['127.0.0.1', '127.0.0.2']

/** Two relays with the same UDP port, each on an address of its own, and claims of a tunnel there. */
async function openTwo() {
  const port = await unusedPort()
  const ports = { udpPorts: { first: port, last: port }, drainMs: 0 }
  const all = new Relays(inject('redisUrl'))
  const a = await all.start('a', { ...ports, host: addressA })
  const b = await all.start('b', { ...ports, host: addressB })
  const claims: Partial<AgentTokenClaims> = {
    ...all.claims(),
    endpointHosts: [],
    kind: 'udp',
    endpointPort: port,
  }
  return { all, a, b, port, claims }
}

/** An upstream that answers each datagram with what `answer` makes of it. */
async function upstreamOf(world: World, answer: (bytes: Buffer) => Buffer[]): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  world.use(() => void socket.close())
  socket.on('message', (bytes, from) => {
    for (const reply of answer(bytes)) socket.send(reply, from.port, from.address)
  })
  return socket.address().port
}

async function visitorAt(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, address)
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return socket
}

/** Sends until this answer comes: datagrams may be lost or late, and a port may not be open yet. */
async function ask(socket: Socket, host: string, port: number, question: Buffer, answer: Buffer) {
  const { promise: answered, resolve } = Promise.withResolvers<Buffer>()
  const onMessage = (bytes: Buffer): void => {
    if (bytes.equals(answer)) resolve(bytes)
  }
  socket.on('message', onMessage)
  const again = setInterval(() => socket.send(question, port, host), 500)
  socket.send(question, port, host)
  const got = await answered
  clearInterval(again)
  socket.off('message', onMessage)
  return got
}

async function droppedFor(world: World, host: string, reason: string): Promise<number> {
  const response = await fetch(`http://${host}:${world.relay.adminPort}/metrics`)
  const line = new RegExp(`datagrams_dropped_total\\{reason="${reason}"[^}]*\\} (\\d+)`)
  return Number(line.exec(await response.text())?.[1] ?? 0)
}

test('a visitor of either relay is answered by the agent, datagram for datagram', async () => {
  const { all, a, port, claims } = await openTwo()
  await using _ = all
  await a.tunnel(await upstreamOf(a, (bytes) => [bytes]), claims)
  const visitor = await visitorAt()

  for (const bytes of [0, 1, 1_472, 9_000, 65_507]) {
    const datagram = Buffer.alloc(bytes, 7)
    expect((await ask(visitor, addressB, port, datagram, datagram)).length).toBe(bytes)
  }
  const others = Array.from({ length: 10 }, async (_one, index) => {
    const datagram = Buffer.from(`visitor ${index}`)
    await ask(await visitorAt(), addressB, port, datagram, datagram)
  })
  await Promise.all(others)
  await ask(visitor, addressA, port, Buffer.from('here too'), Buffer.from('here too'))
})

test('the holder decides by the visitor’s own address, and bounds what it is sent', async () => {
  const { all, a, b, port, claims } = await openTwo()
  await using _ = all
  let heardDenied = 0
  const upstream = await upstreamOf(a, (bytes) => {
    if (bytes.equals(fromDenied)) heardDenied += 1
    return bytes.length === 1 ? [bytes] : Array.from({ length: 200 }, () => Buffer.alloc(1_000))
  })
  await a.tunnel(upstream, { ...claims, policy: { denyIps: ['127.0.0.3'] } })
  const victim = await visitorAt()
  await ask(victim, addressB, port, anything, anything)

  const denied = await visitorAt('127.0.0.3')
  await vi.waitFor(async () => {
    denied.send(fromDenied, port, addressB)
    expect(await droppedFor(a, addressA, 'denied')).toBeGreaterThan(0)
  }, waitMs)
  expect(heardDenied).toBe(0)

  await vi.waitFor(async () => {
    victim.send(Buffer.alloc(100), port, addressB)
    expect(await droppedFor(a, addressA, 'amplification')).toBeGreaterThan(50)
  }, waitMs)
  expect(await droppedFor(b, addressB, 'amplification')).toBe(0)
})

test('when the agent moves its visitors follow, at the relay that it left and at the one it came to', async () => {
  const { all, a, b, port, claims } = await openTwo()
  await using _ = all
  const saying = (world: World, text: string) => upstreamOf(world, () => [Buffer.from(text)])
  const first = await a.tunnel(await saying(a, 'first'), claims)
  const [atA, atB] = [await visitorAt(), await visitorAt()]
  await ask(atA, addressA, port, anything, Buffer.from('first'))
  await ask(atB, addressB, port, anything, Buffer.from('first'))

  await b.tunnel(await saying(b, 'second'), claims)

  // The session at the first relay lives on, as that of an agent does whose machine went to sleep.
  await ask(atA, addressA, port, anything, Buffer.from('second'))
  await ask(atB, addressB, port, anything, Buffer.from('second'))
  expect(first.session.closed).toBe(false)

  await a.tunnel(await saying(a, 'third'), { ...claims, epoch: 2 })
  await ask(atA, addressA, port, anything, Buffer.from('third'))
  await ask(atB, addressB, port, anything, Buffer.from('third'))
})

test('without an agent anywhere datagrams are dropped and counted, and one that comes is found', async () => {
  const { all, a, b, port, claims } = await openTwo()
  await using _ = all
  const agent = await a.tunnel(await upstreamOf(a, () => [Buffer.from('before')]), claims)
  const visitor = await visitorAt()
  await ask(visitor, addressB, port, anything, Buffer.from('before'))

  agent.socket.destroy()
  await vi.waitFor(async () => {
    visitor.send('?', port, addressB)
    expect(await droppedFor(b, addressB, 'offline')).toBeGreaterThan(0)
  }, waitMs)
  await a.tunnel(await upstreamOf(a, () => [Buffer.from('after')]), claims)

  await ask(visitor, addressB, port, anything, Buffer.from('after'))
})
