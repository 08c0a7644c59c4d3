import { createServer as createTlsServer } from 'node:tls'

import { expect, inject, test, vi } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { Relays } from '../testing/relays.ts'
import { apex, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)
const tls = { httpsPort: 0, certificate }
const waitMs = { timeout: 15_000 }
const get = (name: string) => `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`

/** Two relays, of which the first has the tunnel's agent. */
async function openTwo() {
  const all = new Relays(inject('redisUrl'))
  const [holder, other] = [await all.start('a', tls), await all.start('b', tls)]
  const claims = all.claims()
  const [name = ''] = claims.endpointHosts
  return { all, holder, other, claims, name }
}

/** Tries until the relay has heard where the host is. */
function answerOf(world: World, options: object, request: string, wanted: RegExp): Promise<string> {
  return vi.waitFor(async () => {
    const visitor = await world.tlsVisitor(options)
    visitor.send(request)
    const answer = await visitor.rest()
    expect(answer).toMatch(wanted)
    return answer
  }, waitMs)
}

test('a passthrough host is reached through any relay, which never reads its bytes', async () => {
  const { all, holder, other, claims, name } = await openTwo()
  await using _ = all
  const own = selfSigned(name)
  const server = createTlsServer({ ...own, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    socket.on('end', () => socket.end(`seen ${bytes}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  holder.use(() => void server.close())
  await holder.tunnel(server, { ...claims, kind: 'tls', tlsMode: 'passthrough' })
  const options = { ca: own.cert, servername: name, allowHalfOpen: true }

  const answer = await vi.waitFor(async () => {
    const visitor = await other.tlsVisitor(options)
    visitor.socket.end(Buffer.alloc(300_000))
    return visitor.rest()
  }, waitMs)

  expect(answer).toBe('seen 300000')
})

test('a visitor is asked for its certificate through any relay, and its own address is seen', async () => {
  const { all, holder, other, claims, name } = await openTwo()
  await using _ = all
  const visitor = selfSigned('visitor.test')
  const upstream = await holder.upstream(({ headers }, response) => {
    response.end(
      `${String(headers['sluice-visitor-fingerprint'])} ${String(headers['x-forwarded-for'])}`,
    )
  })
  await holder.tunnel(upstream, { ...claims, policy: { visitorCa: visitor.cert } })
  const trusting = { ca: certificate.cert, servername: name, localAddress: '127.0.0.3' }

  const passed = await answerOf(other, { ...trusting, ...visitor }, get(name), / 200 /)

  expect(passed).toMatch(/[0-9a-f]{64} 127\.0\.0\.3/)
  const refused = await answerOf(other, trusting, get(name), / 403 /)
  expect(refused).toContain('SLUICE_VISITOR_CERTIFICATE_REQUIRED')
})

test('the handshake of any other host is made by the relay that the visitor has reached', async () => {
  const { all, holder, other, claims, name } = await openTwo()
  await using _ = all
  await holder.tunnel(
    await holder.upstream((_request, response) => response.end('reached')),
    claims,
  )
  const trusting = { ca: certificate.cert, servername: name }

  expect(await answerOf(other, trusting, get(name), / 200 /)).toContain('reached')
  const metrics = await fetch(`http://127.0.0.1:${other.relay.adminPort}/metrics`)
  expect(await metrics.text()).toContain('handshakes_total{result="passed",part="relay"} 0')
})
