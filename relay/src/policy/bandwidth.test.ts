import type { Server } from 'node:http'

import type { AgentTokenClaims } from '@sluice/schema/claims'
import { expect, test } from 'vitest'

import { createWorld, host, type World } from '../testing/world.ts'

const bytesPerSecond = 200_000
/** What a pause may save up. */
const burstBytes = bytesPerSecond * 0.4
const endless = Buffer.alloc(65_536, 'x')

/** Sends without end on `/down`, counts on `/up`, answers at once on anything else, and speaks raw bytes after an upgrade. */
async function upstreamOf(world: World) {
  const heard = { bytes: 0 }
  const upstream: Server = await world.upstream((request, response) => {
    if (request.url === '/up') {
      request.on('data', (piece: Buffer) => (heard.bytes += piece.length))
      request.on('end', () => response.end())
      return
    }
    if (request.url !== '/down') {
      response.end('small')
      return
    }
    const send = (): void => {
      while (!response.destroyed && response.write(endless));
    }
    response.on('drain', send)
    send()
  })
  upstream.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n')
    const send = (): void => {
      while (!socket.destroyed && socket.write(endless));
    }
    socket.on('drain', send)
    send()
  })
  return { upstream, heard }
}

const limited = (claims: Partial<AgentTokenClaims> = {}) => ({
  bandwidthBytesPerSecond: bytesPerSecond,
  ...claims,
})

/** How many of the bytes that `count` reads arrived in a time that the machine decides. */
async function rateOf(count: () => number): Promise<{ bytes: number; seconds: number }> {
  const start = { bytes: count(), ms: performance.now() }
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  return { bytes: count() - start.bytes, seconds: (performance.now() - start.ms) / 1000 }
}

function expectLimited({ bytes, seconds }: { bytes: number; seconds: number }): void {
  // Within a tenth above, and well above what a broken limit would let through on a machine that is busy.
  expect(bytes).toBeLessThanOrEqual(bytesPerSecond * seconds * 1.1 + burstBytes)
  expect(bytes).toBeGreaterThanOrEqual(bytesPerSecond * seconds * 0.5)
}

test('a download keeps to the bandwidth of its tunnel, and another tunnel is not concerned', async () => {
  await using world = await createWorld()
  const { upstream } = await upstreamOf(world)
  await world.tunnel(upstream, limited())
  await world.tunnel(upstream, { tunnelId: 'tunnel-2', endpointHosts: ['other.tunnel.test'] })
  const visitor = await world.visitor()
  let bytes = 0
  visitor.socket.removeAllListeners('data').on('data', (chunk: Buffer) => (bytes += chunk.length))
  visitor.send(`GET /down HTTP/1.1\r\nHost: ${host}\r\n\r\n`)

  const rate = rateOf(() => bytes)
  const other = await world.exchange(
    'GET / HTTP/1.1\r\nHost: other.tunnel.test\r\nConnection: close\r\n\r\n',
  )

  expect(other).toContain('small')
  expectLimited(await rate)
})

test('an upload keeps to the bandwidth, and its visitor is paused rather than cut', async () => {
  await using world = await createWorld()
  const { upstream, heard } = await upstreamOf(world)
  await world.tunnel(upstream, limited())
  const visitor = await world.visitor()
  visitor.send(`POST /up HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000000\r\n\r\n`)
  const send = (): void => {
    while (!visitor.socket.destroyed && visitor.socket.write(endless));
  }
  visitor.socket.on('drain', send)
  send()

  expectLimited(await rateOf(() => heard.bytes))
  expect(visitor.ended).toBe(false)
})

test('upgraded connections and several at once share one bandwidth', async () => {
  await using world = await createWorld()
  const { upstream } = await upstreamOf(world)
  await world.tunnel(upstream, limited())
  let bytes = 0
  const each = [0, 0, 0]
  for (const index of each.keys()) {
    const visitor = await world.visitor()
    visitor.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      bytes += chunk.length
      each[index] = (each[index] ?? 0) + chunk.length
    })
    const upgrade = index === 0 ? 'Connection: Upgrade\r\nUpgrade: raw\r\n' : ''
    visitor.send(`GET /down HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`)
  }

  const rate = await rateOf(() => bytes)

  expectLimited(rate)
  // In turns: none is starved.
  for (const one of each) expect(one).toBeGreaterThan(bytes / 6)
})

test('a body that is limited arrives whole, with its end where it belongs', async () => {
  await using world = await createWorld()
  const body = Buffer.from(Array.from({ length: 600_000 }, (_, index) => 97 + ((index * 7) % 23)))
  const upstream = await world.upstream((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'Content-Length': body.length })
      response.end(body)
      return
    }
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => response.end(String(Buffer.concat(pieces).equals(body))))
  })
  await world.tunnel(upstream, limited({ bandwidthBytesPerSecond: 1_000_000 }))

  const down = await world.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  const up = await world.exchange(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body.toString()}\r\n0\r\n\r\n`,
  )

  expect(down.slice(down.indexOf('\r\n\r\n') + 4)).toBe(body.toString())
  expect(up).toMatch(/true(?:\r\n|$)/)
})

test('a visitor who leaves in the middle leaves the bandwidth to the others', async () => {
  await using world = await createWorld()
  const { upstream } = await upstreamOf(world)
  const agent = await world.tunnel(upstream, limited())
  const leaver = await world.visitor()
  leaver.send(`GET /down HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await leaver.until((received) => received.length > 10_000)
  leaver.socket.destroy()

  const answer = await world.exchange(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  )

  expect(answer).toContain('small')
  while (agent.session.streamCount > 0) await new Promise((resolve) => setTimeout(resolve, 10))
})

test('a limit that is lifted lets what waits go at once, on the same session', async () => {
  await using world = await createWorld()
  const body = Buffer.alloc(2_000_000, 'y')
  const upstream = await world.upstream((_request, response) => response.end(body))
  const agent = await world.tunnel(upstream, limited({ bandwidthBytesPerSecond: 10_000 }))
  const visitor = await world.visitor()
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  await visitor.until((received) => received.length > 1_000)

  // At 10 KB/s it would take minutes.
  agent.session.renewToken(await world.agentToken({ jti: 'newer' }))
  const received = await visitor.rest()

  expect(received.length).toBeGreaterThan(body.length)
})

test('a limit that is set slows down what is under way, on the same session', async () => {
  await using world = await createWorld()
  const { upstream } = await upstreamOf(world)
  const agent = await world.tunnel(upstream)
  const visitor = await world.visitor()
  let bytes = 0
  visitor.socket.removeAllListeners('data').on('data', (chunk: Buffer) => (bytes += chunk.length))
  visitor.send(`GET /down HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  while (bytes < 5_000_000) await new Promise((resolve) => setTimeout(resolve, 10))

  agent.session.renewToken(await world.agentToken(limited({ jti: 'newer' })))
  // What was on its way to the visitor already arrives as it is.
  for (let calm = 0; calm < 4;) {
    const before = bytes
    await new Promise((resolve) => setTimeout(resolve, 250))
    calm = bytes - before > 100_000 ? 0 : calm + 1
  }

  expectLimited(await rateOf(() => bytes))
  expect(visitor.ended).toBe(false)
})
