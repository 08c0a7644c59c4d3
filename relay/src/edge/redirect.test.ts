import { expect, test } from 'vitest'

import { apex, createWorld, host, type World } from '../testing/world.ts'
import { selfSigned } from './self-signed.ts'

const certificate = selfSigned(apex)

async function redirecting(redirectPort: number): Promise<World> {
  const world = await createWorld({ httpsPort: 0, certificate, redirectPort })
  await world.tunnel(await world.upstream((request, response) => response.end(`at ${request.url}`)))
  return world
}

const ask = (line: string, fields = '', name = host) =>
  `${line} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n${fields}\r\n`

test.for([
  ['GET /a%2fb?c=d', 443, `https://${host}/a%2fb?c=d`],
  ['GET /', 8443, `https://${host}:8443/`],
  [`GET http://${host}/x?y`, 443, `https://${host}/x?y`],
  ['OPTIONS *', 443, `https://${host}/`],
] as const)(
  '%s over plain HTTP is led to the same address over HTTPS',
  async ([line, port, to]) => {
    await using world = await redirecting(port)

    const answer = await world.exchange(ask(line))

    expect(answer).toMatch(/^HTTP\/1\.1 308 /)
    expect(answer).toContain(`\r\nLocation: ${to}\r\n`)
    expect(answer).not.toMatch(/strict-transport-security/i)
  },
)

test('a body that was not read ends the connection behind the redirect', async () => {
  await using world = await redirecting(443)

  const answer = await world.exchange(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\n\r\nhello`,
  )

  expect(answer).toMatch(/^HTTP\/1\.1 308 [^]*\r\nConnection: close\r\n/)
})

test('an authority’s challenge is not redirected, and neither is HTTPS', async () => {
  await using world = await redirecting(443)
  const visitor = await world.tlsVisitor({ ca: certificate.cert, servername: host })
  visitor.send(ask('GET /secure'))

  expect(await visitor.rest()).toMatch(/^HTTP\/1\.1 200 [^]*at \/secure/)
  expect(await world.exchange(ask('GET /.well-known/acme-challenge/token'))).toContain(
    'at /.well-known/acme-challenge/token',
  )
  expect(await world.exchange(ask('GET /.well-known/acme-challenge'))).toMatch(/ 308 /)
})

test('a host of nobody stays unknown, and agents reach the edge host without TLS', async () => {
  await using world = await redirecting(443)

  expect(await world.exchange(ask('GET /', '', `nobody.${apex}`))).toMatch(/^HTTP\/1\.1 404 /)
  expect(await world.exchange(ask('GET /_sluice/session', '', `edge.${apex}`))).not.toMatch(/ 308 /)
})

test('without the setting plain HTTP is served', async () => {
  await using world = await createWorld()
  await world.tunnel(await world.upstream((_request, response) => response.end('reached')))

  expect(await world.exchange(ask('GET /'))).toMatch(/^HTTP\/1\.1 200 [^]*reached/)
})
