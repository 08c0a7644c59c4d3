import type { Socket } from 'node:net'

import { expect, test } from 'vitest'

import { apex, createWorld, host } from '../testing/world.ts'
import { selfSigned } from './self-signed.ts'

const ask = (path: string, lines = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`

/** Answers once a second passed, which is longer than any rule about visitors that say no more. */
const later = (answer: () => void): void => void setTimeout(answer, 1_200)

test('a visitor who has closed its half waits as long as it takes for the response', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_request, response) => later(() => response.end('late')))
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.socket.end(ask('/'))

  expect(await visitor.rest()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nlate$/)
})

test('it gets an error of the relay’s own whole, too', async () => {
  await using world = await createWorld({ responseHeadTimeoutMs: 1_000 })
  await world.tunnel(await world.upstream(() => undefined))
  const visitor = await world.visitor()

  visitor.socket.end(ask('/'))

  expect(await visitor.rest()).toMatch(/^HTTP\/1\.1 504 [^]*SLUICE_UPSTREAM_TIMEOUT/)
})

test('it gets every event of a stream, in chunks that are read as before', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_request, response) => {
    response.write('first')
    later(() => response.end('last'))
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(ask('/'))
  await visitor.until((text) => text.includes('first'))
  visitor.socket.end()

  expect(await visitor.rest()).toMatch(/\r\n\r\n5\r\nfirst\r\n0*4\r\nlast\r\n0+\r\n\r\n$/)
})

test('requests that were sent before the half closed are all answered', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/1') later(() => response.end('[1]'))
    else response.end(`[${request.url?.slice(1)}]`)
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.socket.end(`${ask('/1')}${ask('/2')}GET /broken HTTP/1.1\r\nHo`)
  const received = await visitor.rest()

  expect(received.match(/\[\d\]/g)).toEqual(['[1]', '[2]'])
  expect(received).not.toContain('400')
})

const gone: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['closes in order', (socket) => socket.destroy()],
  ['resets', (socket) => socket.resetAndDestroy()],
]
const moments = [
  ['before the response', () => undefined],
  ['in a response of unknown length', (write: (text: string) => void) => write('x')],
] as const

test.for(
  gone.flatMap(([how, leave]) => moments.map(([when, act]) => [how, when, leave, act] as const)),
)('a visitor that %s %s aborts the request at the upstream', async ([, when, leave, act]) => {
  await using world = await createWorld()
  const aborted = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const upstream = await world.upstream((request, response) => {
    response.on('close', () => aborted.resolve())
    act((text) => response.write(text))
    request.resume()
    arrived.resolve()
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(ask('/'))
  await arrived.promise
  if (when !== 'before the response') await visitor.until((text) => text.includes('1\r\nx'))
  leave(visitor.socket)

  await expect(aborted.promise).resolves.toBeUndefined()
})

test('a visitor that closes within a body of known length that stands still is taken to be gone', async () => {
  await using world = await createWorld()
  const aborted = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    response.setHeader('content-length', 10).write('four')
    response.on('close', () => aborted.resolve())
  })
  await world.tunnel(upstream)
  const visitor = await world.visitor()

  visitor.send(ask('/'))
  await visitor.until((text) => text.endsWith('four'))
  visitor.socket.end()

  await expect(aborted.promise).resolves.toBeUndefined()
})

test('over TLS a body that breaks off ends the connection, and not the relay', async () => {
  const certificate = selfSigned(apex)
  await using world = await createWorld({ httpsPort: 0, certificate })
  const upstream = await world.upstream((_request, response) => {
    response.write('some')
    setImmediate(() => response.destroy())
  })
  await world.tunnel(upstream)
  const visitor = await world.tlsVisitor({ ca: certificate.cert, servername: host })

  visitor.send(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`)

  expect(await visitor.rest()).toMatch(/^(?:HTTP\/1\.1 200 [^]*|)$/)
  expect(await world.exchange(ask('/', 'Connection: close\r\n'))).toMatch(/^HTTP\/1\.1 200 /)
})
