import { expect, test } from 'vitest'

import { apiKeyPrincipal } from './testing/principals.ts'
import { codeOf, createWorld, type World } from './testing/world.ts'

const wrongCredentialsMax = 3
const openLimited = () =>
  createWorld({ trustedProxies: ['127.0.0.1'], limits: { wrongCredentialsMax } })

/** What one door says of a credential from an address. */
async function ask(world: World, token: string, ip: string, path = '/public/graphql') {
  const isGraph = path.endsWith('graphql')
  const response = await fetch(`${world.origin}${path}`, {
    method: isGraph ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${token}`,
      'x-forwarded-for': ip,
      ...(isGraph ? { 'content-type': 'application/json' } : {}),
    },
    ...(isGraph ? { body: '{"query":"{ mine { organization { name } } }"}' } : {}),
  })
  await response.text()
  const { status, headers } = response
  return { status, code: headers.get('sluice-error'), wait: Number(headers.get('retry-after')) }
}

const wrongKey = () => `slk_${crypto.randomUUID()}`
const wrongAuthtoken = () => `slt_${crypto.randomUUID()}`

async function tryUntilRefused(world: World, ip: string) {
  const answers = []
  for (let tried = 0; tried <= wrongCredentialsMax; tried += 1) {
    answers.push(await ask(world, tried % 2 === 0 ? wrongKey() : wrongAuthtoken(), ip))
  }
  return answers
}

test('an address that tries keys is told to wait, at every door, and nobody else is', async () => {
  await using world = await openLimited()

  const tried = await tryUntilRefused(world, '198.51.100.1')

  expect(tried.map(({ status }) => status)).toEqual([401, 401, 401, 429])
  expect(tried.at(-1)).toMatchObject({ code: 'SLUICE_RATE_LIMITED', wait: expect.any(Number) })
  expect(tried.at(-1)?.wait).toBeGreaterThan(500)
  for (const path of ['/graphql', '/v1/admin/audit/integrity', '/v1/auth/token/revoke']) {
    expect((await ask(world, wrongKey(), '198.51.100.1', path)).status).toBe(429)
  }
  expect((await ask(world, wrongKey(), '198.51.100.2')).status).toBe(401)
  const person = await world.query('{ whoami }', world.signIn())
  expect(person.status).toBe(200)
})

test('who works behind the same address goes on, and who is new there waits', async () => {
  await using world = await openLimited()
  const ip = '198.51.100.3'
  const [known, later] = [world.signIn(apiKeyPrincipal()), world.signIn(apiKeyPrincipal())]
  expect((await ask(world, known, ip)).status).toBe(200)

  await tryUntilRefused(world, ip)

  expect((await ask(world, known, ip)).status).toBe(200)
  expect((await ask(world, later, ip)).status).toBe(429)
  expect((await ask(world, later, '198.51.100.4')).status).toBe(200)
})

test('a program that goes on with a revoked key locks nobody out', async () => {
  await using world = await openLimited()
  const [stale, fresh] = [wrongKey(), world.signIn(apiKeyPrincipal())]

  const statuses = new Set<number>()
  for (let tried = 0; tried < 3 * wrongCredentialsMax; tried += 1) {
    statuses.add((await ask(world, stale, '198.51.100.5')).status)
  }

  expect(statuses).toEqual(new Set([401]))
  expect((await ask(world, fresh, '198.51.100.5')).status).toBe(200)
})

test('a socket is closed so that its client comes again later', async () => {
  await using world = await openLimited()
  for (let tried = 0; tried <= wrongCredentialsMax; tried += 1) {
    await world.query('{ whoami }', wrongAuthtoken())
  }
  expect(codeOf(await world.query('{ whoami }', wrongAuthtoken()))).toBe('SLUICE_RATE_LIMITED')

  const socket = world.socket()
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.once('open', () => {
    const payload = { authorization: `Bearer ${wrongAuthtoken()}` }
    socket.send(JSON.stringify({ type: 'connection_init', payload }))
  })

  expect(await closed).toBe(1013)
})
