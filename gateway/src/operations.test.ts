import { expect, test } from 'vitest'

import { memberPrincipal } from './testing/principals.ts'
import { codeOf, createWorld, registeredDocument } from './testing/world.ts'

test('one query joins fields of every subgraph', async () => {
  await using world = await createWorld()

  const answer = await world.query(
    '{ mine { id name domain computed owner { name } organization { name tunnels { id } } } }',
    world.signIn(),
  )

  expect(answer).toMatchObject({
    status: 200,
    errors: undefined,
    data: {
      mine: {
        id: 't1',
        domain: 't1.example.test',
        computed: 'computed from real status',
        owner: { name: 'user u1' },
        organization: { name: 'organization o1', tunnels: [{ id: 't1' }, { id: 't2' }] },
      },
    },
  })
})

test('a subgraph that is down leaves the rest of the page', async () => {
  await using world = await createWorld()
  await world.stop('domains')

  const answer = await world.query('{ mine { name domain } }', world.signIn())

  expect(answer.status).toBe(200)
  expect(answer.data).toEqual({ mine: { name: 'one', domain: null } })
  expect(answer.errors).toHaveLength(1)
  expect(answer.errors?.[0]).toMatchObject({
    path: ['mine'],
    extensions: { code: 'SLUICE_SUBGRAPH_UNAVAILABLE' },
  })
})

test('two tenants who ask the same at the same time get their own answers', async () => {
  await using world = await createWorld()
  const [one, other] = [memberPrincipal(), memberPrincipal()]
  const tokens = [world.signIn(one), world.signIn(other), world.signIn(one)]
  const release = world.hold('whoami')

  const answers = tokens.map((token) => world.query('{ whoami }', token))
  await world.called('whoami', 2)
  release()

  const ids = (await Promise.all(answers)).map(({ data }) => data?.['whoami'])
  expect(ids).toEqual([one.id, other.id, one.id])
  // The first's equal queries were one call.
  expect(world.calls.filter(({ field }) => field === 'whoami')).toHaveLength(2)
})

test('a query after a mutation never gets the answer of one before it', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  const release = world.hold('slow')
  const before = world.query('{ slow }', token)
  await world.called('slow')

  await world.query('mutation { rename }', token)
  const after = world.query('{ slow }', token)
  await world.called('slow', 2)
  release()

  await Promise.all([before, after])
  expect(world.calls.filter(({ field }) => field === 'slow')).toHaveLength(2)
})

test('a client that leaves cancels what runs for it', async () => {
  await using world = await createWorld()
  const token = world.signIn()
  const leave = new AbortController()
  const release = world.hold('slow')
  const asked = fetch(`${world.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: '{"query":"{ slow }"}',
    signal: leave.signal,
  })
  await world.called('slow')

  leave.abort()

  await expect(asked).rejects.toThrow('abort')
  await world.abandoned('slow')
  release()
})

test('an error of the catalogue passes, and a bug leaves as an id', async () => {
  await using world = await createWorld()
  const token = world.signIn()

  const forbidden = await world.query('{ forbidden }', token)
  const boom = await world.query('{ boom }', token)

  expect(forbidden.errors?.[0]).toMatchObject({
    path: ['forbidden'],
    extensions: { code: 'SLUICE_FORBIDDEN', status: 403, title: 'You may not do this.' },
  })
  expect(codeOf(boom)).toBe('SLUICE_INTERNAL')
  expect(boom.text).not.toMatch(/hunter2|tunnels|serviceName|stack/)
})

test('what a subgraph owes and does not send is an error, not silence', async () => {
  await using world = await createWorld()

  const answer = await world.query('{ incomplete { name } }', world.signIn())

  expect(answer.data).toEqual({ incomplete: null })
  expect(codeOf(answer)).toBe('SLUICE_INTERNAL')
})

test('variables that do not fit are refused before anything runs', async () => {
  await using world = await createWorld()
  const text = 'query ($x: String!) { mine { mirror(x: $x) } }'

  const answer = await world.query(text, world.signIn(), { x: 5 })

  expect(answer.status).toBe(400)
  expect(codeOf(answer)).toBe('SLUICE_INPUT_INVALID')
  expect(world.calls).toEqual([])
})

test('the anonymous may send registered documents alone, laid out in any way', async () => {
  await using world = await createWorld()

  const registered = await world.query(registeredDocument)
  const reformatted = await world.query('# A comment\nquery   Registered { plans, }')
  const other = await world.query('{ plans }')

  expect(registered.data).toEqual({ plans: ['free'] })
  expect(reformatted.data).toEqual({ plans: ['free'] })
  expect(other.status).toBe(400)
  expect(codeOf(other)).toBe('SLUICE_DOCUMENT_UNKNOWN')
})

test('where documents are registered, members send those and admins any', async () => {
  await using world = await createWorld({ documents: 'registered' })
  const admin = world.signIn(memberPrincipal({ isAdmin: true }))

  expect(codeOf(await world.query('{ whoami }', world.signIn()))).toBe('SLUICE_DOCUMENT_UNKNOWN')
  expect((await world.query('{ whoami }', admin)).status).toBe(200)
})

test('introspection is for the signed-in', async () => {
  await using world = await createWorld()
  const text = '{ __schema { queryType { name } } }'

  const anonymous = await world.query(text)
  const signedIn = await world.query(text, world.signIn())

  expect(anonymous.status).toBe(403)
  expect(codeOf(anonymous)).toBe('SLUICE_INTROSPECTION_FORBIDDEN')
  expect(signedIn.data).toEqual({ __schema: { queryType: { name: 'Query' } } })
  expect(signedIn.text).not.toMatch(/hidden|join__/)
})

test('a wrong name is said without suggesting the right ones', async () => {
  await using world = await createWorld()

  const answer = await world.query('{ whoam }', world.signIn())

  expect(codeOf(answer)).toBe('SLUICE_DOCUMENT_INVALID')
  expect(answer.text).not.toContain('whoami')
})
