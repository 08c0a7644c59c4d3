import { authtokenOf, memberOf, membershipOf } from '@sluice/kit/testing'
import { execute, parse, type ExecutionResult } from 'graphql'
import { expect, test } from 'vitest'

import type { Context } from '../context.ts'
import { schema } from '../schema.ts'
import { createWorld, type World } from '../testing/world.ts'
import { addCustomDomain, attachCustomDomain } from './custom-domain.ts'

async function run(context: Context, query: string, variableValues: Record<string, unknown> = {}) {
  const answer: ExecutionResult = await execute({
    schema,
    document: parse(query),
    contextValue: context,
    variableValues,
  })
  expect(answer.errors).toBeUndefined()
  // A copy without the null prototypes of graphql-js.
  return JSON.parse(JSON.stringify(answer.data)) as Record<string, unknown>
}

const entities = (fields: string) =>
  `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${fields} } }`

function represent(typename: string, ids: string[]) {
  return { representations: ids.map((id) => ({ __typename: typename, id })) }
}

/** Twelve organizations of one member, each with a domain that leads to a tunnel. */
async function manyOrganizations(world: World) {
  const organizationIds = Array.from({ length: 12 }, () => crypto.randomUUID())
  const tunnelIds: string[] = []
  for (const [index, organizationId] of organizationIds.entries()) {
    const domain = await world.verified(organizationId, `app${index}.example.com`)
    const tunnelId = await world.tunnel(organizationId)
    const owner = world.contextFor(memberOf(organizationId))
    await attachCustomDomain(owner, { id: domain.id, tunnelId })
    tunnelIds.push(tunnelId)
  }
  const person = {
    ...memberOf(organizationIds[0] ?? ''),
    memberships: organizationIds.map((organizationId) => membershipOf(organizationId, 'VIEWER')),
  }
  return { organizationIds, tunnelIds, person }
}

test('the domains of many organizations are one statement', async () => {
  const world = await createWorld()
  const { organizationIds, person } = await manyOrganizations(world)
  const context = world.contextFor(person)
  world.db.takeStatements()

  const data = await run(
    context,
    entities('... on Organization { customDomains(first: 5) { nodes { domain } } }'),
    represent('Organization', organizationIds),
  )

  expect(world.db.takeStatements()).toHaveLength(1)
  expect(data['_entities']).toEqual(
    organizationIds.map((_, index) => ({
      customDomains: { nodes: [{ domain: `app${index}.example.com` }] },
    })),
  )
})

test('the domains of many tunnels are one statement', async () => {
  const world = await createWorld()
  const { tunnelIds, person } = await manyOrganizations(world)
  const context = world.contextFor(person)
  world.db.takeStatements()

  const data = await run(
    context,
    entities('... on Tunnel { customDomains { domain tunnel { id } organization { id } } }'),
    represent('Tunnel', tunnelIds),
  )

  expect(world.db.takeStatements()).toHaveLength(1)
  expect(data['_entities']).toHaveLength(12)
  expect(JSON.stringify(data)).toContain('app11.example.com')
})

test('many domains by reference are one statement, and those of others are missing', async () => {
  const world = await createWorld()
  const ours = await world.verified(world.acme, 'a.example.com')
  const theirs = await world.verified(world.globex, 'b.example.com')
  const context = world.asAcme()
  world.db.takeStatements()

  const data = await run(
    context,
    entities('... on CustomDomain { domain }'),
    represent('CustomDomain', [ours.id, theirs.id, crypto.randomUUID(), 'not a uuid']),
  )

  expect(world.db.takeStatements()).toHaveLength(1)
  expect(data['_entities']).toEqual([{ domain: 'a.example.com' }, null, null, null])
})

test('a foreign organization and a foreign tunnel show no domains', async () => {
  const world = await createWorld()
  const domain = await world.verified(world.globex, 'b.example.com')
  const tunnelId = await world.tunnel(world.globex)
  await attachCustomDomain(world.asGlobex(), { id: domain.id, tunnelId })

  const organization = await run(
    world.asAcme(),
    entities('... on Organization { customDomains { nodes { id } } }'),
    represent('Organization', [world.globex]),
  )
  const tunnel = await run(
    world.asAcme(),
    entities('... on Tunnel { customDomains { id } }'),
    represent('Tunnel', [tunnelId]),
  )
  const single = await run(world.asAcme(), 'query ($id: ID!) { customDomain(id: $id) { id } }', {
    id: domain.id,
  })

  expect(organization['_entities']).toEqual([{ customDomains: null }])
  expect(tunnel['_entities']).toEqual([{ customDomains: [] }])
  expect(single).toEqual({ customDomain: null })
})

test('an authtoken reads domains only with the scope to read tunnels', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, 'a.example.com')
  const ask = (
    scope: 'TUNNELS_READ' | 'TUNNELS_START',
    query: string,
    variables: Record<string, unknown>,
  ) => run(world.contextFor(authtokenOf(world.acme, [scope])), query, variables)
  const read = (scope: 'TUNNELS_READ' | 'TUNNELS_START') =>
    Promise.all([
      ask(
        scope,
        entities('... on Organization { customDomains { nodes { domain } } }'),
        represent('Organization', [world.acme]),
      ),
      ask(scope, entities('... on CustomDomain { domain }'), represent('CustomDomain', [id])),
      ask(scope, 'query ($id: ID!) { customDomain(id: $id) { domain } }', { id }),
    ])

  const domain = 'a.example.com'
  expect(await read('TUNNELS_READ')).toEqual([
    { _entities: [{ customDomains: { nodes: [{ domain }] } }] },
    { _entities: [{ domain }] },
    { customDomain: { domain } },
  ])
  expect(await read('TUNNELS_START')).toEqual([
    { _entities: [{ customDomains: null }] },
    { _entities: [null] },
    { customDomain: null },
  ])
})

test('a list is paged, newest first, without gap or repetition', async () => {
  const world = await createWorld()
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await addCustomDomain(world.asAcme(), {
      organizationId: world.acme,
      domain: `${name}.example.com`,
    })
  }
  const names: string[] = []
  let after: string | null = null
  do {
    const data = await run(
      world.asAcme(),
      `query ($representations: [_Any!]!, $after: String) { _entities(representations: $representations) {
        ... on Organization { customDomains(first: 2, after: $after) {
          nodes { domain } pageInfo { hasNextPage endCursor } } } } }`,
      { ...represent('Organization', [world.acme]), after },
    )
    const [{ customDomains: page }] = data['_entities'] as [
      {
        customDomains: {
          nodes: { domain: string }[]
          pageInfo: { hasNextPage: boolean; endCursor: string }
        }
      },
    ]
    names.push(...page.nodes.map(({ domain }) => domain[0] ?? ''))
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after !== null)

  expect(names).toEqual(['e', 'd', 'c', 'b', 'a'])
})

test('a new domain shows the exact records to set, and nothing that is not known yet', async () => {
  const world = await createWorld()

  const data = await run(
    world.asAcme(),
    `mutation ($organizationId: ID!) { addCustomDomain(organizationId: $organizationId, domain: "App.Example.com") {
      domain status verifiedAt lastCheckedAt lastError tls { status } tunnel { id } organization { id }
      dnsRecords { type name value found } } }`,
    { organizationId: world.acme },
  )

  expect(data['addCustomDomain']).toEqual({
    domain: 'app.example.com',
    status: 'PENDING',
    verifiedAt: null,
    lastCheckedAt: null,
    lastError: null,
    tls: null,
    tunnel: null,
    organization: { id: world.acme },
    dnsRecords: [
      {
        type: 'TXT',
        name: '_sluice-challenge.app.example.com',
        value: expect.stringMatching(/^sluice-verify=[0-9a-f]{32}$/),
        found: null,
      },
      { type: 'CNAME', name: 'app.example.com', value: 'edge.sluice.test', found: null },
    ],
  })
})
