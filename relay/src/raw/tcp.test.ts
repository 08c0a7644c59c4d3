import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

import { unusedPort } from '@sluice/kit/unused-port'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { Visitor, apex, createWorld, host, portOf, type World } from '../testing/world.ts'

const waitMs = 20_000

/** A relay with a range of one port, and what a tunnel there needs. */
async function rawWorld(options: Parameters<typeof createWorld>[0] = {}) {
  const port = await unusedPort()
  const world = await createWorld({ tcpPorts: { first: port, last: port }, ...options })
  const claims: Partial<AgentTokenClaims> = { kind: 'tcp', endpointHosts: [], endpointPort: port }
  return { world, port, claims }
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

async function visit(world: World, port: number): Promise<Visitor> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  world.use(() => void socket.destroy())
  return new Visitor(socket)
}

/** How a socket ends: the code of its error, or `closed`. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('close', () => resolve('closed'))
  })
}

test('an upstream that speaks first is heard, and what the visitor says at once is kept', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => {
    socket.write('hello\n')
    socket.on('data', (chunk: Buffer) => socket.write(`you said ${chunk.toString()}`))
  })
  await world.tunnel(upstream, claims)

  const silent = await visit(world, port)
  expect(await silent.until((text) => text.includes('\n'))).toBe('hello\n')
  const early = await visit(world, port)
  early.send('early')

  expect(await early.until((text) => text.includes('early'))).toBe('hello\nyou said early')
})

test('each half of a connection ends by itself', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => {
    const parts: Buffer[] = []
    socket.on('data', (chunk: Buffer) => parts.push(chunk))
    socket.on('end', () => socket.end(`got ${Buffer.concat(parts).length}`))
  })
  await world.tunnel(upstream, claims)

  const uploading = await visit(world, port)
  uploading.socket.end(Buffer.alloc(300_000))
  expect(await uploading.rest()).toBe('got 300000')

  const farewell = await upstreamOf(world, (socket) => {
    socket.end('bye')
    socket.on('data', (chunk: Buffer) => heard.resolve(chunk.toString()))
  })
  const heard = Promise.withResolvers<string>()
  await world.tunnel(farewell, { ...claims, epoch: 2 })
  const downloading = await visit(world, port)
  expect(await downloading.rest()).toBe('bye')
  downloading.send('still talking')
  expect(await heard.promise).toBe('still talking')
})

test('a reset of either side is a reset for the other', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstreamEnd = Promise.withResolvers<string>()
  const upstream = await upstreamOf(world, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      if (chunk.toString() === 'reset') socket.resetAndDestroy()
      else {
        socket.write('ready')
        upstreamEnd.resolve(endOf(socket))
      }
    })
  })
  await world.tunnel(upstream, claims)

  const first = await visit(world, port)
  const end = endOf(first.socket)
  first.send('reset')
  expect(await end).toBe('ECONNRESET')

  const second = await visit(world, port)
  second.send('go')
  await second.until((text) => text === 'ready')
  second.socket.resetAndDestroy()
  expect(await upstreamEnd.promise).toBe('ECONNRESET')
})

test('an upstream where nobody listens is a reset, and the agent says why', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const nobody = await unusedPort()
  const carried = Promise.withResolvers<string>()
  await world.tunnel(nobody, claims, { onCarried: ({ code }) => carried.resolve(code) })

  const visitor = await visit(world, port)

  expect(await endOf(visitor.socket)).toBe('ECONNRESET')
  expect(await carried.promise).toBe('SLUICE_UPSTREAM_REFUSED')
})

test('a hundred connections at once carry their own bytes both ways', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => void socket.pipe(socket))
  await world.tunnel(upstream, claims)

  const results = await Promise.all(
    Array.from({ length: 100 }, async (_one, index) => {
      const body = randomBytes(20_000 + index * 777)
      const visitor = await visit(world, port)
      const hash = createHash('sha256')
      visitor.socket.on('data', (chunk: Buffer) => hash.update(chunk))
      visitor.socket.end(body)
      await visitor.rest()
      return hash.digest('hex') === createHash('sha256').update(body).digest('hex')
    }),
  )

  expect(results.every(Boolean)).toBe(true)
})

test('a visitor that never reads holds a window of memory, and others go on', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  let written = 0
  const upstream = await upstreamOf(world, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      if (chunk.toString() === 'small') {
        socket.end('small')
        return
      }
      const piece = Buffer.alloc(65_536)
      const pour = (): void => {
        while (!socket.destroyed) {
          written += piece.length
          if (!socket.write(piece)) break
        }
      }
      socket.on('drain', pour)
      pour()
    })
  })
  await world.tunnel(upstream, claims)
  const stuck = connect({ port, host: '127.0.0.1' })
  world.use(() => void stuck.destroy())
  stuck.pause()
  stuck.write('flood')
  // Until it stands still: everything on the way is full.
  for (let before = -1; before !== written;) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 300))
  }

  const other = await visit(world, port)
  other.send('small')

  expect(await other.rest()).toBe('small')
  // A window of 4 MiB, and the buffers of the kernel on the way.
  expect(written).toBeLessThan(64 * 1_048_576)
})

test('a newer session keeps the port, and a lost agent that comes back is waited for', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const saying = (text: string) => upstreamOf(world, (socket) => void socket.end(text))
  const first = await world.tunnel(await saying('first'), claims)
  await world.tunnel(await saying('second'), { ...claims, epoch: 2 })
  await first.closed
  const visitor = await visit(world, port)
  expect(await visitor.rest()).toBe('second')

  const third = await world.tunnel(await saying('third'), { ...claims, epoch: 3 })
  third.socket.destroy()
  await third.closed
  const early = await visit(world, port)
  await world.tunnel(await saying('fourth'), { ...claims, epoch: 4 })

  expect(await early.rest()).toBe('fourth')
})

test('a port whose agent stays away is given up', async () => {
  const { world, port, claims } = await rawWorld({ portKeptMs: 50 })
  await using _ = world
  const agent = await world.tunnel(1, claims)
  agent.socket.destroy()
  await agent.closed

  const refused = async (): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1' })
    const end = await Promise.race([endOf(socket), once(socket, 'connect').then(() => 'open')])
    socket.destroy()
    return end
  }
  const until = Date.now() + waitMs
  while ((await refused()) !== 'ECONNREFUSED' && Date.now() < until);

  expect(await refused()).toBe('ECONNREFUSED')
})

test('beside other processes a port goes to the one that the agent comes back to', async () => {
  const { world, port, claims } = await rawWorld({ reusePort: true })
  await using _ = world
  await using other = await createWorld({
    tcpPorts: { first: port, last: port },
    reusePort: true,
  })
  const saying = (text: string) => upstreamOf(world, (socket) => void socket.end(text))
  const first = await world.tunnel(await saying('first'), claims)
  expect(await (await visit(world, port)).rest()).toBe('first')

  await other.tunnel(await saying('second'), claims)
  first.socket.destroy()
  await first.closed
  const answers: string[] = []
  await expect
    .poll(
      async () => {
        answers.push(await (await visit(world, port)).rest())
        return answers.slice(-10).join('')
      },
      { timeout: 15_000 },
    )
    .toBe('second'.repeat(10))
})

test('a port outside the range, one of another tunnel and one of another program are refused', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const outside = await world.dial(1, await world.agentToken({ ...claims, endpointPort: 1 }))
  expect(await outside.refused).toMatchObject({ code: 'SLUICE_PORT_OUTSIDE' })

  await world.tunnel(1, claims)
  const foreign = await world.dial(1, await world.agentToken({ ...claims, tunnelId: 'tunnel-2' }))
  expect(await foreign.refused).toMatchObject({ code: 'SLUICE_PORT_TAKEN', details: { port } })

  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const taken = portOf(server)
  await using other = await createWorld({ tcpPorts: { first: taken, last: taken } })
  other.use(() => void server.close())
  const late = await other.dial(1, await other.agentToken({ ...claims, endpointPort: taken }))
  expect(await late.refused).toMatchObject({ code: 'SLUICE_PORT_TAKEN' })
})

test('addresses and the number of connections are checked, and a refusal is a reset', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => void socket.write('in'))
  await world.tunnel(upstream, { ...claims, maxConcurrentConns: 1 })
  const first = await visit(world, port)
  await first.until((text) => text === 'in')

  expect(await endOf(connect({ port, host: '127.0.0.1' }))).toBe('ECONNRESET')
  first.socket.destroy()

  await world.tunnel(upstream, { ...claims, policy: { denyIps: ['127.0.0.0/8'] }, epoch: 2 })
  expect(await endOf(connect({ port, host: '127.0.0.1' }))).toBe('ECONNRESET')
})

test('connections count for the rate of their tunnel, and one too many is a reset', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => socket.write('hello'))
  await world.tunnel(upstream, {
    ...claims,
    policy: { requestRate: { perSecond: 0.001, burst: 2 } },
  })

  for (let times = 0; times < 2; times += 1) {
    await (await visit(world, port)).until((text) => text === 'hello')
  }
  const third = connect({ port, host: '127.0.0.1' })
  third.write('x')

  expect(await endOf(third)).toBe('ECONNRESET')
})

test('the upstream learns who the visitor is by the PROXY protocol', async () => {
  const { world, port, claims } = await rawWorld()
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => void socket.pipe(socket))
  await world.tunnel(upstream, claims, { proxyProtocol: 1 })

  const visitor = await visit(world, port)
  const { localPort } = visitor.socket
  visitor.socket.end('and then the bytes')

  expect(await visitor.rest()).toBe(
    `PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${port}\r\nand then the bytes`,
  )
})

test('over HTTP too, on a connection for each request', async () => {
  await using world = await createWorld()
  const seen: string[] = []
  const upstream = await upstreamOf(world, (socket) => {
    let heard = ''
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      if (!heard.includes('\r\n\r\n')) return
      seen.push(heard.split('\r\n').slice(0, 2).join('|'))
      heard = ''
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  await world.tunnel(upstream, {}, { proxyProtocol: 1 })

  const visitor = await world.visitor()
  for (const path of ['/1', '/2']) {
    const before = visitor.received.length
    visitor.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    await visitor.until((text) => text.slice(before).endsWith('ok'))
  }

  expect(seen).toEqual([
    'PROXY TCP4 127.0.0.1 0.0.0.0 0 0|GET /1 HTTP/1.1',
    'PROXY TCP4 127.0.0.1 0.0.0.0 0 0|GET /2 HTTP/1.1',
  ])
})

test('a relay that shuts down lets connections finish and takes no new ones', async () => {
  const { world, port, claims } = await rawWorld({ drainMs: 10_000 })
  await using _ = world
  const upstream = await upstreamOf(world, (socket) => void socket.pipe(socket))
  await world.tunnel(upstream, claims)
  const visitor = await visit(world, port)
  visitor.send('before ')
  await visitor.until((text) => text === 'before ')

  const closing = world.relay.close()
  await expect(visit(world, port)).rejects.toThrow('ECONNREFUSED')
  visitor.socket.end('and after')

  expect(await visitor.rest()).toBe('before and after')
  await closing
})

test('an agent of protocol version 1 is told to update', async () => {
  const { world, claims } = await rawWorld()
  await using _ = world
  const socket = new WebSocket(`ws://127.0.0.1:${world.relay.httpPort}/_sluice/session`, {
    headers: { host: `edge.${apex}` },
  })
  await once(socket, 'open')
  const hello = Buffer.from(
    JSON.stringify({
      versions: [1],
      features: [],
      agentToken: await world.agentToken(claims),
      agentVersion: 'old',
      streamWindowBytes: 1000,
      sessionWindowBytes: 1000,
    }),
  )
  const header = Buffer.from([1, 0, hello.length >> 8, hello.length & 255, 0, 0, 0, 0])
  const answered = once(socket, 'message') as Promise<[Buffer]>

  socket.send(Buffer.concat([header, hello]))

  const [answer] = await answered
  expect(JSON.parse(answer.subarray(8).toString())).toEqual({
    code: 'SLUICE_PROTOCOL_UNSUPPORTED',
    details: { supported: '2' },
  })
  socket.terminate()
})
