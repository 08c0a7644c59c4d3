import type { TLSSocket } from 'node:tls'

import { expect, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { revocationListOf } from '../testing/revocation-list.ts'
import { apex, createWorld, host, type World } from '../testing/world.ts'

const certificate = selfSigned(apex)
const trusting = { ca: certificate.cert, servername: host }
/** A certificate that is its own authority, and somebody else's. */
const visitor = selfSigned('visitor.test')
const stranger = selfSigned('visitor.test')
const policy = { visitorCa: visitor.cert }
const get = (fields = '') => `GET / HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`

/** A tunnel that asks for certificates, and an upstream that says what it is told of the visitor. */
async function openAsking(claims: Parameters<World['tunnel']>[1] = { policy }): Promise<World> {
  const world = await createWorld({ httpsPort: 0, certificate })
  const upstream = await world.upstream(({ headers }, response) => {
    const { 'sluice-visitor-subject': subject, 'sluice-visitor-fingerprint': fingerprint } = headers
    response.end(JSON.stringify({ subject, fingerprint }))
  })
  await world.tunnel(upstream, claims)
  return world
}

async function exchange(world: World, options: object, request = get()): Promise<string> {
  const connection = await world.tlsVisitor({ ...trusting, ...options })
  connection.send(request)
  return connection.until((received) => received.endsWith('}'))
}

const required = /^HTTP\/1\.1 403 [^]*SLUICE_VISITOR_CERTIFICATE_REQUIRED/

test('a visitor with a certificate of the owner’s authority passes, and the upstream learns who it is', async () => {
  await using world = await openAsking()

  const answer = await exchange(world, visitor)

  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  expect(answer).toContain('"subject":"CN=Sluice development"')
  expect(answer).toMatch(/"fingerprint":"[0-9a-f]{64}"/)
})

test.for([
  ['no certificate', {}],
  ['one of another authority', stranger],
] as const)('a visitor with %s is refused', async ([, options]) => {
  await using world = await openAsking()

  expect(await exchange(world, options)).toMatch(required)
})

test('plain HTTP shows no certificate, and is refused', async () => {
  await using world = await openAsking()

  const answer = await world.exchange(get('Connection: close\r\n'))

  expect(answer).toMatch(required)
})

test('what a visitor itself says of its certificate reaches nobody', async () => {
  await using world = await openAsking()
  const lies = [
    'Sluice-Visitor-Subject: CN=root',
    'sluice-visitor-fingerprint: 00',
    'Connection: close, sluice-visitor-subject',
  ]

  const answer = await exchange(world, visitor, get(`${lies.join('\r\n')}\r\n`))
  const none = await openAsking({ policy: {} })
  await using _ = none
  const unasked = await exchange(none, visitor, get(`${lies.join('\r\n')}\r\n`))

  expect(answer).toContain('"subject":"CN=Sluice development"')
  expect(unasked).toMatch(/\{\}$/)
})

test('an HTTP/2 visitor is asked, too', async () => {
  await using world = await openAsking()

  const ask = (options: object) => h2Get(h2Visitor(world, certificate.cert, options))

  const refused = await ask({})
  const passed = await ask(visitor)

  expect(refused.status).toBe(403)
  expect(passed.status).toBe(200)
  expect(passed.body.toString()).toContain('CN=Sluice development')
})

test('a resumed session remembers who the visitor is, and none of another host does', async () => {
  const open = `open.${apex}`
  await using world = await openAsking()
  await world.tunnel(await world.upstream((_request, response) => response.end('{}')), {
    tunnelId: 'tunnel-2',
    endpointHosts: [open],
  })
  const sessionOf = async (options: object, name: string) => {
    const connection = await world.tlsVisitor({ ...trusting, ...options })
    connection.send(get().replace(host, name))
    await connection.until((received) => received.endsWith('}'))
    return (connection.socket as TLSSocket).getSession()
  }

  const own = await sessionOf(visitor, host)
  const other = await sessionOf({ ...visitor, servername: open }, open)

  expect(await exchange(world, { session: own })).toMatch(/^HTTP\/1\.1 200 /)
  expect(await exchange(world, { session: other })).toMatch(required)
})

test('when the owner’s authority changes, connections that were checked by the old one no longer pass', async () => {
  await using world = await openAsking()
  const connection = await world.tlsVisitor({ ...trusting, ...visitor })
  connection.send(get())
  await connection.until((received) => received.endsWith('}'))

  const upstream = await world.upstream((_request, response) => response.end('{}'))
  await world.tunnel(upstream, { policy: { visitorCa: stranger.cert }, epoch: 2 })
  connection.send(get())

  const both = await connection.until((received) => received.includes('403'))
  expect(both).toContain('SLUICE_VISITOR_CERTIFICATE_REQUIRED')
  expect(await exchange(world, stranger)).toMatch(/^HTTP\/1\.1 200 /)
  expect(await exchange(world, visitor)).toMatch(required)
})

test('a certificate that its authority has revoked is refused, also on connections that are open', async () => {
  await using world = await createWorld({ httpsPort: 0, certificate, idleTimeoutMs: 60_000 })
  const upstream = await world.upstream((_request, response) => response.end('{}'))
  const other = selfSigned('visitor.test', 'Another authority')
  const both = visitor.cert + other.cert
  const agent = await world.tunnel(upstream, { policy: { visitorCa: both } })
  const open = await Promise.all(
    [visitor, other].map((shown) => world.tlsVisitor({ ...trusting, ...shown })),
  )
  for (const connection of open) {
    connection.send(get())
    await connection.until((received) => received.endsWith('{}'))
  }

  const lists = revocationListOf(visitor, [visitor]) + revocationListOf(other, [])
  const revoking = { jti: 'newer', policy: { visitorCa: both + lists } }
  agent.session.renewToken(await world.agentToken(revoking))
  await expect.poll(() => exchange(world, visitor), { timeout: 15_000 }).toMatch(required)

  expect(await exchange(world, other)).toMatch(/^HTTP\/1\.1 200 /)
  for (const connection of open) {
    connection.send(get())
    expect(await connection.until((received) => received.includes('403'))).toContain(
      'SLUICE_VISITOR_CERTIFICATE_REQUIRED',
    )
  }
})

test('where one authority has a revocation list, one without lets nobody in', async () => {
  const other = selfSigned('visitor.test', 'Another authority')
  const visitorCa = visitor.cert + other.cert + revocationListOf(visitor, [])
  await using world = await openAsking({ policy: { visitorCa } })

  expect(await exchange(world, visitor)).toMatch(/^HTTP\/1\.1 200 /)
  expect(await exchange(world, other)).toMatch(required)
})

test('an authority that cannot be read closes the host to all, and no other', async () => {
  await using world = await openAsking({ policy: { visitorCa: 'not PEM' } })
  const open = `open.${apex}`
  await world.tunnel(await world.upstream((_request, response) => response.end('{}')), {
    tunnelId: 'tunnel-2',
    endpointHosts: [open],
  })

  const asked = exchange(world, visitor).catch((error: unknown) => `refused: ${String(error)}`)

  expect(await asked).toMatch(/refused|403/)
  expect(await exchange(world, { servername: open }, get().replace(host, open))).toMatch(
    /^HTTP\/1\.1 200 /,
  )
})

test('a tunnel of plain bytes behind TLS asks as well, and cuts off who shows none', async () => {
  await using world = await openAsking({ kind: 'tls', tlsMode: 'terminate', policy })

  const refused = await world.tlsVisitor(trusting)
  refused.send(get())

  expect(await refused.rest()).toBe('')
  expect(await exchange(world, visitor)).toMatch(/^HTTP\/1\.1 200 /)
})
