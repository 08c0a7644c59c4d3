import { once } from 'node:events'
import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { fieldBlock, frame, frameOf, frameVisitor, numberOf } from '../testing/h2-frames.ts'
import { h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld, host, portOf } from '../testing/world.ts'

const certificate = selfSigned(apex)
const connections = 150
const framesEach = 60

/** The same numbers each time (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const methods = ['GET', 'POST', 'HEAD', 'CONNECT', 'OPTIONS', 'get', '']
const paths = [
  '/',
  '/large',
  '/echo',
  '/early',
  '*',
  '',
  '/a b',
  'https://x/',
  `/${'p'.repeat(3_000)}`,
]
const names = [
  'x-a',
  'cookie',
  'te',
  'host',
  'expect',
  'connection',
  'content-length',
  'Upper',
  'x_forwarded_for',
  ':protocol',
  ':path',
  'upgrade',
  '',
]
const values = [
  '1',
  'trailers',
  host,
  '100-continue',
  'close',
  'websocket',
  'a\r\nb: c',
  '\0',
  'v'.repeat(9_000),
  '',
]

const statuses = ['200', '204', '304', '103', '101', '100', '99', '600', '', 'x']

/** Frames that are nearly right, so that they get far. */
function someFrame(random: (below: number) => number, from: 'visitor' | 'upstream'): Buffer {
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T
  const streamId = random(8) === 0 ? random(50) : 1 + 2 * random(12)
  const flags = pick([0, 1, 4, 5, 5, 5, 8, 32, random(256)])
  const fields: [string, string][] =
    from === 'upstream'
      ? [[':status', pick(statuses)]]
      : [
          [':method', pick(methods)],
          [':scheme', 'https'],
          [':path', pick(paths)],
          [':authority', pick([host, host, host, 'other.test', ''])],
        ]
  for (let count = random(4); count > 0; count -= 1) fields.push([pick(names), pick(values)])
  switch (random(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return frameOf(frame.headers, flags, streamId, fieldBlock(fields))
    case 4:
    case 5:
      return frameOf(frame.data, flags, streamId, Buffer.alloc(random(5_000), 'd'))
    case 6:
      return frameOf(frame.reset, 0, streamId, numberOf(random(16)))
    case 7:
      return frameOf(
        frame.windowUpdate,
        0,
        pick([0, streamId]),
        numberOf(pick([0, 1, 70_000, 0x7fff_ffff])),
      )
    case 8:
      return frameOf(frame.continuation, flags, streamId, fieldBlock(fields.slice(2)))
    default:
      return frameOf(random(12), flags, pick([0, streamId]), Buffer.alloc(random(64), random(256)))
  }
}

test('whatever frames visitors send, in whatever order, the relay serves the next one', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate })
  const upstream = await world.upstream((request, response) => {
    request.on('error', () => undefined)
    if (request.url === '/echo') request.pipe(response)
    else if (request.url === '/large') response.end(Buffer.alloc(300_000))
    else if (request.url === '/early') response.writeHead(200).write('first')
    else request.resume().on('end', () => response.end('reached'))
  })
  upstream.on('upgrade', (_request, socket) => socket.destroy())
  await world.tunnel(upstream, { maxConcurrentConns: 1_000 })

  for (let at = 0; at < connections; at += 15) {
    await Promise.all(
      Array.from({ length: 15 }, async (_, beside) => {
        const random = randomOf(1_000 * at + beside)
        const visitor = await frameVisitor(world, certificate.cert)
        for (let count = 0; count < framesEach && !visitor.ended; count += 1) {
          visitor.send(someFrame(random, 'visitor'))
          if (random(5) === 0) await new Promise(setImmediate)
        }
        await new Promise(setImmediate)
        visitor.socket.destroy()
      }),
    )
  }

  const session = h2Visitor(world, certificate.cert)
  expect(await h2Get(session)).toMatchObject({ status: 200, body: Buffer.from('reached') })
  session.close()
  await once(session, 'close')
})

test('whatever frames an upstream sends, its agent answers for it and serves the next', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate })
  let seed = 1
  const server = createServer((socket) => {
    const random = randomOf((seed += 1_000))
    socket.on('error', () => undefined)
    socket.write(frameOf(frame.settings, 0, 0, Buffer.alloc(0)))
    socket.on('data', () => {
      for (let count = random(6); count > 0; count -= 1) socket.write(someFrame(random, 'upstream'))
      if (random(8) === 0) socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  world.use(() => void server.close())
  await world.tunnel(portOf(server), {}, { upstream: { protocol: 'http2' } })
  const sound = await world.upstream((_request, response) => response.end('reached'))
  const soundHost = `sound.${apex}`
  await world.tunnel(sound, { tunnelId: 'tunnel-2', endpointHosts: [soundHost] })

  for (let round = 0; round < 40; round += 1) {
    const visitors = await Promise.all([world.visitor(), world.visitor(), world.visitor()])
    for (const [index, visitor] of visitors.entries()) {
      visitor.send(
        `${['GET', 'POST', 'HEAD'][index]} / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      )
    }
    // Some upstreams never say anything that is an answer.
    await Promise.race([
      Promise.all(visitors.map((visitor) => visitor.until((received) => received !== ''))),
      new Promise((resolve) => setTimeout(resolve, 50)),
    ]).catch(() => undefined)
    for (const visitor of visitors) visitor.socket.destroy()
  }

  const answer = await world.exchange(
    `GET / HTTP/1.1\r\nHost: ${soundHost}\r\nConnection: close\r\n\r\n`,
  )
  expect(answer).toMatch(/reached/)
})
