import { once } from 'node:events'
import { createServer } from 'node:http2'

import { expect, inject, test, vi } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { answerOf, h2Visitor } from '../testing/h2-visitor.ts'
import { Relays } from '../testing/relays.ts'
import { apex, portOf } from '../testing/world.ts'

const certificate = selfSigned(apex)

test('a call over HTTP/2 reaches an upstream of HTTP/2 behind another relay, trailers and all', async () => {
  await using relays = new Relays(inject('redisUrl'))
  const near = await relays.start('near', { httpsPort: 0, certificate })
  const far = await relays.start('far')
  const claims = relays.claims()
  const [host = ''] = claims.endpointHosts
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.pipe(stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  far.use(() => void server.close())
  await far.tunnel(portOf(server), claims, { upstream: { protocol: 'http2' } })
  // Until the near relay has heard where the host is.
  await vi.waitFor(
    async () =>
      expect(
        await near.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      ).toMatch(/^HTTP\/1\.1 200 /),
    { timeout: 15_000 },
  )
  const session = h2Visitor(near, certificate.cert, { servername: host })

  const call = session.request({
    ':method': 'POST',
    ':authority': host,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const answered = answerOf(call)
  // Message by message: neither relay waits for an end.
  for (const word of ['one', 'two']) {
    call.write(word)
    const [piece] = await once(call, 'data')
    expect(String(piece)).toBe(word)
  }
  call.end()

  expect(await answered).toMatchObject({ status: 200, reset: 0, trailers: { 'grpc-status': '0' } })
})
