import { createHash } from 'node:crypto'

import { expect, test } from 'vitest'

import { memberPrincipal } from './testing/principals.ts'
import { codeOf, consoleOrigin, createWorld } from './testing/world.ts'

test('a request that another site could make a browser send is refused', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(`${world.origin}${path}`, init)
    return [response.status, response.headers.get('sluice-error')]
  }
  const unsafe = [403, 'SLUICE_REQUEST_UNSAFE']
  const body = '{"query":"{ whoami }"}'
  const authorization = `Bearer ${token}`
  const json = { 'content-type': 'application/json' }

  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  expect(await ask('/graphql', { method: 'POST', body, headers: form })).toEqual(unsafe)
  const plain = { 'content-type': 'text/plain', authorization }
  expect(await ask('/graphql', { method: 'POST', body, headers: plain })).toEqual(unsafe)
  const foreign = { ...json, authorization, origin: 'https://evil.test' }
  expect(await ask('/graphql', { method: 'POST', body, headers: foreign })).toEqual(unsafe)
  expect(await ask('/graphql?query={whoami}', {})).toEqual(unsafe)
  const mutation = `/graphql?query=${encodeURIComponent('mutation { rename }')}`
  expect(await ask(mutation, { headers: { authorization } })).toEqual(unsafe)

  expect(await ask('/graphql?query={whoami}', { headers: { authorization } })).toEqual([200, null])
  const own = { ...json, authorization, origin: consoleOrigin }
  expect(await ask('/graphql', { method: 'POST', body, headers: own })).toEqual([200, null])
})

test('a bad credential is refused and never taken for none', async () => {
  await using world = await createWorld()

  for (const authorization of [
    'Bearer wrong',
    'Basic dTpw',
    'Bearer',
    `Bearer ${'x'.repeat(5_000)}`,
  ]) {
    const answer = await world.post({ query: '{ plans }' }, { headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(codeOf(answer)).toBe('SLUICE_UNAUTHENTICATED')
  }
})

test('a relay is known by its key, and by no other', async () => {
  const key = 'slrk_test'
  const hash = createHash('sha256').update(key).digest('hex')
  await using world = await createWorld({ relayKeyHashes: [hash] })

  const known = await world.query('{ whoami }', key)
  const unknown = await world.query('{ whoami }', 'slrk_other')

  expect(known.data).toEqual({ whoami: hash.slice(0, 16) })
  expect(codeOf(unknown)).toBe('SLUICE_RELAY_KEY_INVALID')
})

test('a credential is asked about once in a while, and at once after a revocation', async () => {
  await using world = await createWorld()
  const principal = memberPrincipal()
  const token = world.signIn(principal)
  await Promise.all([world.query('{ whoami }', token), world.query('{ whoami }', token)])
  expect(world.identity.asked()).toBe(1)

  world.identity.remove(token)
  await world.revoke({ kind: 'sign-in', id: String(principal.signInId) })

  await expect
    .poll(async () => codeOf(await world.query('{ whoami }', token)))
    .toBe('SLUICE_UNAUTHENTICATED')
})

test('while identity is away nobody new gets in', async () => {
  await using world = await createWorld()
  const known = world.signIn()
  await world.query('{ whoami }', known)
  world.identity.goAway()

  const fromMemory = await world.query('{ plans }', known)
  const unknown = await world.query('{ plans }', world.signIn())

  expect(fromMemory.status).toBe(200)
  expect(unknown.status).toBe(503)
  expect(codeOf(unknown)).toBe('SLUICE_SUBGRAPH_UNAVAILABLE')
})

test('a mutation of who one is counts at the next request', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  await world.query('{ whoami }', token)

  await world.query('mutation { rename }', token)
  await world.query('{ whoami }', token)

  expect(world.identity.asked()).toBe(2)
})

test('the refresh cookie travels to identity and back, on mutations alone', async () => {
  await using world = await createWorld()
  const headers = { cookie: 'other=1; sluice_refresh=old; x=y' }
  const token = world.signIn()

  const mutation = await world.post({ query: 'mutation { signIn }' }, { token, headers })
  const query = await world.post({ query: '{ whoami }' }, { token, headers })

  expect(mutation.headers.getSetCookie()).toEqual(['sluice_refresh=new-old; HttpOnly'])
  expect(query.headers.getSetCookie()).toEqual([])
})

test('headers of a client do not reach a subgraph', async () => {
  await using world = await createWorld()
  const principal = memberPrincipal()
  const token = world.signIn(principal)

  const answer = await world.post(
    { query: '{ whoami }' },
    { token, headers: { 'x-sluice-internal': 'forged', 'x-sluice-visitor-ip': '1.2.3.4' } },
  )

  expect(answer.data).toEqual({ whoami: principal.id })
})

test('a method, body or member that is no GraphQL is said to be none', async () => {
  await using world = await createWorld()
  const token = world.signIn()

  expect((await fetch(`${world.origin}/graphql`, { method: 'PUT' })).status).toBe(405)
  for (const body of [
    'not json',
    '[]',
    '{}',
    '{"query":5}',
    '{"query":"{ whoami }","variables":[]}',
  ]) {
    expect(codeOf(await world.post(body, { token }))).toBe('SLUICE_INPUT_INVALID')
  }
  expect(codeOf(await world.post({ documentId: 'f'.repeat(64) }, { token }))).toBe(
    'SLUICE_DOCUMENT_UNKNOWN',
  )
})

test('a document can be sent by its id', async () => {
  await using world = await createWorld()
  const { documentIdOf } = await import('./document-id.ts')
  const { registeredDocument } = await import('./testing/world.ts')

  const answer = await world.post({ documentId: `sha256:${documentIdOf(registeredDocument)}` })

  expect(answer.data).toEqual({ plans: ['free'] })
})

test('health, readiness and keys are public', async () => {
  await using world = await createWorld()
  const text = async (path: string) => (await fetch(`${world.origin}${path}`)).text()

  expect(await text('/healthz')).toBe('ok\n')
  expect(await text('/readyz')).toMatch(/^[0-9a-f]{64}\n$/)
  expect(JSON.parse(await text('/.well-known/jwks.json'))).toMatchObject({ keys: [{ kid: 'one' }] })
  await world.stop('identity')
  expect(JSON.parse(await text('/.well-known/jwks.json'))).toMatchObject({ keys: [{ kid: 'one' }] })
})

test('staff that acts as a customer changes nothing unless it asked to, by no door', async () => {
  await using world = await createWorld()
  const customer = memberPrincipal()
  const staff = { userId: crypto.randomUUID(), signInId: crypto.randomUUID(), name: 'Staff' }
  const looking = world.signIn({ ...customer, impersonatedBy: { ...staff, mayChange: false } })
  const changing = world.signIn({ ...customer, impersonatedBy: { ...staff, mayChange: true } })

  expect((await world.query('{ whoami }', looking)).errors).toBeUndefined()
  const texts = [
    'mutation { rename }',
    'mutation { ...M } fragment M on Mutation { rename }',
    'mutation { ... on Mutation { rename } }',
    'mutation { harmless: rename }',
  ]
  for (const text of texts) {
    expect(codeOf(await world.query(text, looking))).toBe('SLUICE_IMPERSONATION_READ_ONLY')
  }
  // The name of what may be done does not make another thing of it.
  const named = await world.query('mutation { endImpersonation: rename }', looking)
  expect(named.errors).toHaveLength(1)
  expect((await world.query('mutation { rename }', changing)).errors).toBeUndefined()
})
