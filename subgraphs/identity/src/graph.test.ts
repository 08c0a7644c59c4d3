import { graphql } from 'graphql'
import { expect, test } from 'vitest'

import type { Context } from './context.ts'
import { createOrganization } from './organization/organization.ts'
import { schema } from './schema.ts'
import { openWorld, type Person, type World } from './testing.ts'

async function ask(
  contextValue: Context,
  source: string,
  variableValues: Record<string, unknown> = {},
) {
  const { data, errors } = await graphql({ schema, source, contextValue, variableValues })
  return { data: JSON.parse(JSON.stringify(data ?? null)), errors }
}

const entities = `query ($of: [_Any!]!) { _entities(representations: $of) {
  ... on User { id email isAdmin memberships { role } }
  ... on Organization { id name viewerRole }
} }`

/** An organization with this many members besides its owner. */
async function crowd(world: World, size: number): Promise<{ owner: Person; others: Person[] }> {
  const owner = await world.person('Olga')
  await world.tellEntitlements(owner.organizationId, { maxMembers: 1 + size })
  const others = []
  for (let index = 0; index < size; index += 1) {
    const other = await world.person(`Otto ${index}`)
    await world.join(owner.organizationId, other)
    others.push(other)
  }
  return { owner, others }
}

test('me shows oneself with every organization; a colleague’s organizations stay their own', async () => {
  await using world = await openWorld()
  const { owner, others } = await crowd(world, 1)
  const [other] = others

  const { data } = await ask(
    await owner.context(),
    `{ me { id isAdmin memberships { role organization {
      name viewerRole members { nodes { role user { id email isAdmin memberships { role } } } }
    } } } }`,
  )

  expect(data.me).toMatchObject({ id: owner.userId, memberships: [{ role: 'OWNER' }] })
  expect(data.me.memberships[0].organization.members.nodes).toEqual([
    {
      role: 'DEVELOPER',
      user: { id: other?.userId, email: other?.email, isAdmin: false, memberships: [] },
    },
    {
      role: 'OWNER',
      user: {
        id: owner.userId,
        email: owner.email,
        isAdmin: false,
        memberships: [{ role: 'OWNER' }],
      },
    },
  ])
})

test('the anonymous are nobody, and see nothing', async () => {
  await using world = await openWorld()
  const { owner } = await crowd(world, 0)

  const { data } = await ask(
    world.request().context,
    `query ($id: ID!) { me { id } viewer { kind user { id } organization { id } scopes isAdmin }
      organization(id: $id) { id } }`,
    { id: owner.organizationId },
  )

  expect(data).toEqual({
    me: null,
    viewer: { kind: 'ANONYMOUS', user: null, organization: null, scopes: [], isAdmin: false },
    organization: null,
  })
})

test('references of strangers, of nobody and of nonsense are all null', async () => {
  await using world = await openWorld()
  const { owner, others } = await crowd(world, 1)
  const stranger = await world.person()
  const of = [
    { __typename: 'User', id: owner.userId },
    { __typename: 'User', id: others[0]?.userId },
    { __typename: 'User', id: stranger.userId },
    { __typename: 'User', id: crypto.randomUUID() },
    { __typename: 'User', id: `x' or 1=1` },
    { __typename: 'Organization', id: owner.organizationId },
    { __typename: 'Organization', id: stranger.organizationId },
    { __typename: 'Organization', id: 'x' },
  ]

  const { data, errors } = await ask(await owner.context(), entities, { of })

  expect(errors).toBeUndefined()
  expect(data._entities.map((one: { id: string } | null) => one?.id ?? null)).toEqual([
    owner.userId,
    others[0]?.userId,
    null,
    null,
    null,
    owner.organizationId,
    null,
    null,
  ])
})

test('however many members, references and audit entries: the statements stay the same', async () => {
  await using world = await openWorld()
  const small = await crowd(world, 1)
  const large = await crowd(world, 8)
  const lists = [
    'members(first: 50) { nodes { user { name } } }',
    'auditEntries(first: 50) { nodes { actor { name } } }',
    'authtokens(first: 50) { nodes { createdBy { name } } }',
  ]

  const counts = []
  for (const { owner, others } of [small, large]) {
    const of = [owner, ...others].flatMap(({ userId, organizationId }) => [
      { __typename: 'User', id: userId },
      { __typename: 'Organization', id: organizationId },
    ])
    const asked = lists.map((list) => `query ($id: ID!) { organization(id: $id) { ${list} } }`)
    for (const source of [...asked, entities.replace('memberships { role }', '')]) {
      const context = await owner.context()
      world.db.takeStatements()
      const { errors } = await ask(context, source, { id: owner.organizationId, of })
      expect(errors).toBeUndefined()
      counts.push(world.db.takeStatements().length)
    }
  }

  expect(counts.slice(4)).toEqual(counts.slice(0, 4))
})

test('whoever signs up is that user for the rest of the request', async () => {
  await using world = await openWorld()
  const { context } = world.request()

  const { data, errors } = await ask(
    context,
    `mutation { signUp(input: { email: "ada@example.test", password: "correct horse battery", name: "Ada" }) {
        user { email memberships { role organization { name viewerRole } } } }
      createOrganization(name: "Second") { name viewerRole members { nodes { user { name } } } } }`,
  )

  expect(errors).toBeUndefined()
  expect(data).toEqual({
    signUp: {
      user: {
        email: 'ada@example.test',
        memberships: [
          { role: 'OWNER', organization: { name: 'Ada’s organization', viewerRole: 'OWNER' } },
        ],
      },
    },
    createOrganization: {
      name: 'Second',
      viewerRole: 'OWNER',
      members: { nodes: [{ user: { name: 'Ada' } }] },
    },
  })
})

test('a new organization is announced, so that gateways forget what they knew of its owner', async () => {
  await using world = await openWorld()
  const ada = await world.person()

  const organization = await createOrganization(await ada.context(), 'Second')

  expect(world.revoked).toEqual([`membership:${organization.id}:${ada.userId}`])
})

test('guesses by aliases in one document count one by one, and the first that fails ends it', async () => {
  await using world = await openWorld()
  const { owner } = await crowd(world, 0)
  const guesses = Array.from(
    { length: 30 },
    (_, index) => `g${index}: signIn(email: $email, password: "guess ${index}") { accessToken }`,
  )
  const source = `mutation ($email: String!) { ${guesses.join('\n')} }`
  await world.deps.passwords.isRight('made once', null)
  const before = world.hashes()

  const codes = []
  for (let document = 0; document < 12; document += 1) {
    const { context } = world.request({ ip: '192.0.2.1' })
    const { errors } = await ask(context, source, { email: owner.email })
    codes.push((errors?.[0]?.originalError as { code?: string } | undefined)?.code)
  }

  expect(world.hashes() - before).toBe(10)
  expect(codes.slice(0, 10)).toEqual(Array(10).fill('SLUICE_SIGN_IN_FAILED'))
  expect(codes.slice(10)).toEqual(['SLUICE_RATE_LIMITED', 'SLUICE_RATE_LIMITED'])
})
