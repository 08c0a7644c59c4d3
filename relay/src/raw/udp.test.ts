import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

import { unusedPort } from '@sluice/kit/unused-port'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { expect, test, vi } from 'vitest'

import { createWorld, type World } from '../testing/world.ts'
import { replyAllowanceBytesPerFlow, replyFactorMax } from './reply-budget.ts'
import { flowsPerSourceMax } from './udp-port.ts'

const waitMs = 20_000

async function udpWorld(options: Parameters<typeof createWorld>[0] = {}) {
  const port = await unusedPort()
  const world = await createWorld({ udpPorts: { first: port, last: port }, ...options })
  const claims: Partial<AgentTokenClaims> = { kind: 'udp', endpointHosts: [], endpointPort: port }
  return { world, port, claims }
}

async function bound(world: World): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  world.use(() => void socket.close())
  return socket
}

/** An upstream that answers each datagram with what `answer` makes of it. */
async function upstreamOf(world: World, answer: (bytes: Buffer) => Buffer[]): Promise<number> {
  const socket = await bound(world)
  socket.on('message', (bytes, from) => {
    for (const reply of answer(bytes)) socket.send(reply, from.port, from.address)
  })
  return socket.address().port
}

/** Sends until an answer comes: datagrams may be lost, even on loopback. */
async function ask(socket: Socket, port: number, question: Buffer): Promise<Buffer> {
  const answered = once(socket, 'message') as Promise<[Buffer]>
  const again = setInterval(() => socket.send(question, port, '127.0.0.1'), 1_000)
  socket.send(question, port, '127.0.0.1')
  const [answer] = await answered
  clearInterval(again)
  return answer
}

test('datagrams keep their borders, the empty and the largest too', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  await world.tunnel(await upstreamOf(world, (bytes) => [bytes]), claims)
  const visitor = await bound(world)

  for (const bytes of [0, 1, 1_472, 9_000, 65_507]) {
    const datagram = Buffer.alloc(bytes, 7)
    expect((await ask(visitor, port, datagram)).equals(datagram)).toBe(true)
  }
})

test('each visitor gets its own answers', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  await world.tunnel(await upstreamOf(world, (bytes) => [Buffer.concat([bytes, bytes])]), claims)

  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_one, index) => {
      const visitor = await bound(world)
      return (await ask(visitor, port, Buffer.from(`visitor ${index};`))).toString()
    }),
  )

  expect(answers).toEqual(
    Array.from({ length: 20 }, (_one, index) => `visitor ${index};visitor ${index};`),
  )
})

test('a session that takes over answers visitors of the one before', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  const saying = (text: string) => upstreamOf(world, () => [Buffer.from(text)])
  const first = await world.tunnel(await saying('first'), claims)
  const visitor = await bound(world)
  expect((await ask(visitor, port, Buffer.from('?'))).toString()).toBe('first')

  await world.tunnel(await saying('second'), { ...claims, epoch: 2 })
  await first.closed

  expect((await ask(visitor, port, Buffer.from('?'))).toString()).toBe('second')
})

test('denied addresses are not heard', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  let heard = 0
  const upstream = await upstreamOf(world, () => {
    heard += 1
    return []
  })
  await world.tunnel(upstream, { ...claims, policy: { denyIps: ['127.0.0.0/8'] } })
  const visitor = await bound(world)
  visitor.send('hello', port, '127.0.0.1')
  await vi.waitFor(async () => expect(await droppedFor(world, 'denied')).toBeGreaterThan(0), waitMs)

  expect(heard).toBe(0)
})

test('a flow that goes on is held to a policy that has changed', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (bytes) => [bytes])
  const agent = await world.tunnel(upstream, claims)
  const visitor = await bound(world)
  let answers = 0
  visitor.on('message', () => (answers += 1))
  await vi.waitFor(() => {
    visitor.send('hello', port, '127.0.0.1')
    expect(answers).toBeGreaterThan(0)
  }, waitMs)

  const policy = { denyIps: ['127.0.0.0/8'] }
  agent.session.renewToken(await world.agentToken({ ...claims, policy }))

  await vi.waitFor(async () => {
    visitor.send('hello', port, '127.0.0.1')
    expect(await droppedFor(world, 'denied')).toBeGreaterThan(0)
  }, waitMs)
})

test('an upstream cannot be made to flood somebody in whose name one datagram came', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  const question = Buffer.alloc(100)
  const upstream = await upstreamOf(world, () =>
    Array.from({ length: 200 }, () => Buffer.alloc(1_000)),
  )
  await world.tunnel(upstream, claims)
  const victim = await bound(world)
  let received = 0
  victim.on('message', (bytes) => {
    received += bytes.length
  })
  victim.send(question, port, '127.0.0.1')
  await vi.waitFor(
    async () => expect(await droppedFor(world, 'amplification')).toBeGreaterThan(50),
    waitMs,
  )

  expect(received).toBeLessThanOrEqual(
    replyFactorMax * (question.length + 28) + replyAllowanceBytesPerFlow,
  )
})

test('a flood of sources cannot keep out one that is answered', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (bytes) => (bytes.length > 5 ? [bytes] : []))
  await world.tunnel(upstream, { ...claims, maxConcurrentConns: 10 })
  const known = await bound(world)
  expect((await ask(known, port, Buffer.from('known visitor'))).toString()).toBe('known visitor')

  for (let index = 0; index < 50; index += 1) {
    const flooding = await bound(world)
    flooding.send('flood', port, '127.0.0.1')
  }
  const late = await bound(world)

  expect((await ask(late, port, Buffer.from('late visitor'))).toString()).toBe('late visitor')
  expect((await ask(known, port, Buffer.from('still known'))).toString()).toBe('still known')
})

test('one address has no more flows than its share, however many the tunnel has', async () => {
  const { world, port, claims } = await udpWorld()
  await using _ = world
  await world.tunnel(await upstreamOf(world, () => []), { ...claims, maxConcurrentConns: 1_000 })

  for (let index = 0; index <= flowsPerSourceMax; index += 1) {
    const visitor = await bound(world)
    visitor.send('hello', port, '127.0.0.1')
    visitor.send('again', port, '127.0.0.1')
  }

  await vi.waitFor(async () => expect(await droppedFor(world, 'flows')).toBeGreaterThan(0), waitMs)
})

test('under a bulk transfer datagrams pass or are lost, and the transfer arrives whole', async () => {
  const port = await unusedPort()
  const tcp = await unusedPort()
  await using world = await createWorld({
    udpPorts: { first: port, last: port },
    tcpPorts: { first: tcp, last: tcp },
  })
  await world.tunnel(await upstreamOf(world, (bytes) => [bytes]), {
    kind: 'udp',
    endpointHosts: [],
    endpointPort: port,
  })
  const bytes = 64 * 1_048_576
  const bulk = createServer((socket) => {
    socket.on('error', () => undefined)
    const piece = Buffer.alloc(65_536)
    let left = bytes
    const pour = (): void => {
      while (left > 0) {
        left -= piece.length
        if (!socket.write(piece)) return
      }
      socket.end()
    }
    socket.on('drain', pour)
    pour()
  })
  await new Promise<void>((resolve) => bulk.listen(0, '127.0.0.1', resolve))
  world.use(() => void bulk.close())
  await world.tunnel(bulk, {
    tunnelId: 'tunnel-2',
    kind: 'tcp',
    endpointHosts: [],
    endpointPort: tcp,
  })

  const download = connectTo(tcp)
  const visitor = await bound(world)
  let answered = 0
  for (let round = 0; round < 20; round += 1) {
    await ask(visitor, port, Buffer.from(`round ${round}`))
    answered += 1
  }

  expect(answered).toBe(20)
  expect(await download).toBe(bytes)
})

async function connectTo(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' })
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  await once(socket, 'end')
  return received
}

/** How many datagrams were given up for a reason. */
async function droppedFor(world: World, reason: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)
  const line = new RegExp(`datagrams_dropped_total\\{reason="${reason}"[^}]*\\} (\\d+)`)
  return Number(line.exec(await response.text())?.[1] ?? 0)
}
