import { authtokenOf } from '@sluice/kit/testing'
import { expect, test } from 'vitest'

import { codeOf, openWorld, recordOf, type World } from '../testing/world.ts'
import { createTunnel } from '../tunnel/create-tunnel.ts'
import { deleteTunnel } from '../tunnel/tunnel.ts'
import { storeRequests } from './store-requests.ts'

const page = `query($id: ID!, $first: Int, $after: String, $filter: RequestFilter) {
  _entities(representations: [{ __typename: "Organization", id: $id }]) {
    ... on Organization {
      requests(first: $first, after: $after, filter: $filter) {
        nodes { path }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`

interface RequestPage {
  nodes: { path: string }[]
  pageInfo: { hasNextPage: boolean; endCursor: string }
}

async function readPage(
  world: World,
  variables: Record<string, unknown> = {},
  member = world.acme.member,
) {
  const answer = await world.ask(member, page, { id: world.acme.id, ...variables })
  const entities = answer.data?.['_entities'] as { requests: RequestPage | null }[]
  return entities[0]?.requests ?? null
}

async function store(world: World, ...fields: Parameters<typeof recordOf>[2][]) {
  const tunnel = await createTunnel(world.acme.as(), world.acme.id, {})
  const records = fields.map((one) => recordOf(world.acme.id, tunnel.id, one))
  await storeRequests(world.jobDeps, records)
  return { tunnel, records }
}

test('pages are whole and in order while requests keep arriving', async () => {
  await using world = await openWorld()
  const { tunnel } = await store(
    world,
    ...Array.from({ length: 7 }, (_none, n) => ({ path: `/${n}` })),
  )

  const first = await readPage(world, { first: 3 })
  await storeRequests(world.jobDeps, [recordOf(world.acme.id, tunnel.id, { path: '/new' })])
  const second = await readPage(world, { first: 3, after: first?.pageInfo.endCursor })
  const third = await readPage(world, { first: 3, after: second?.pageInfo.endCursor })

  const paths = [first, second, third].flatMap((one) => one?.nodes.map(({ path }) => path))
  expect(paths).toEqual(['/6', '/5', '/4', '/3', '/2', '/1', '/0'])
  expect(third?.pageInfo.hasNextPage).toBe(false)
})

test('requests of the same millisecond are each on one page', async () => {
  await using world = await openWorld()
  const startedAt = new Date(Date.now() - 1_000).toISOString()
  await store(world, ...Array.from({ length: 5 }, (_none, n) => ({ path: `/${n}`, startedAt })))

  const first = await readPage(world, { first: 2 })
  const second = await readPage(world, { first: 2, after: first?.pageInfo.endCursor })
  const third = await readPage(world, { first: 2, after: second?.pageInfo.endCursor })

  const paths = [first, second, third].flatMap((one) => one?.nodes.map(({ path }) => path))
  expect(new Set(paths)).toEqual(new Set(['/0', '/1', '/2', '/3', '/4']))
  expect(paths).toHaveLength(5)
})

test.for([
  [{ method: 'post' }, ['/b%c']],
  [{ statusMin: 500 }, ['/api/2?page=2']],
  [{ statusMin: 300, statusMax: 499 }, ['/b%c']],
  [{ pathPrefix: '/api' }, ['/api/2?page=2', '/api/1']],
  [{ pathContains: '%' }, ['/b%c']],
  [{ pathContains: '?page=2' }, ['/api/2?page=2']],
  [{ pathContains: "'" }, []],
  [{ pathPrefix: '/api', statusMax: 299 }, ['/api/1']],
] as const)('the filter %j narrows the log', async ([filter, paths]) => {
  await using world = await openWorld()
  await store(
    world,
    { path: '/api/1' },
    { path: '/b%c', method: 'POST', status: 404 },
    { path: '/api/2?page=2', status: 502, code: 'SLUICE_UPSTREAM_REFUSED' },
  )

  const found = await readPage(world, { filter })

  expect(found?.nodes.map(({ path }) => path)).toEqual(paths)
})

test('a cursor of another list is refused', async () => {
  await using world = await openWorld()

  const answer = await world.ask(world.acme.member, page, { id: world.acme.id, after: 'bm9wZQ' })

  expect(codeOf(answer)).toBe('SLUICE_CURSOR_INVALID')
})

test('a representation of an organization of others shows neither its log nor its tunnels', async () => {
  await using world = await openWorld()
  const { tunnel, records } = await store(world, {})
  const document = `query($representations: [_Any!]!) {
    _entities(representations: $representations) {
      ... on Organization { id tunnels { nodes { id } } requests { nodes { id } } }
      ... on Tunnel { name }
      ... on CapturedRequest { path }
    }
  }`
  const representations = [
    { __typename: 'Organization', id: world.acme.id },
    { __typename: 'Tunnel', id: tunnel.id },
    { __typename: 'CapturedRequest', id: records[0]?.id },
    { __typename: 'Tunnel', id: "x' or 1=1" },
  ]

  const foreign = await world.ask(world.globex.member, document, { representations })
  const own = await world.ask(world.acme.member, document, { representations })

  expect(foreign.data?.['_entities']).toEqual([
    { id: world.acme.id, tunnels: null, requests: null },
    null,
    null,
    null,
  ])
  expect(own.data?.['_entities']).toMatchObject([
    { tunnels: { nodes: [{ id: tunnel.id }] }, requests: { nodes: [{ id: records[0]?.id }] } },
    { name: tunnel.name },
    { path: records[0]?.path },
    null,
  ])
})

test('an authtoken reads the log only with its scope', async () => {
  await using world = await openWorld()
  await store(world, {})

  const without = await readPage(world, {}, authtokenOf(world.acme.id, ['TUNNELS_READ']))
  const having = await readPage(world, {}, authtokenOf(world.acme.id, ['REQUESTS_READ']))

  expect([without, having?.nodes.length]).toEqual([null, 1])
})

test('however many tunnels and requests are asked for, the statements stay the same', async () => {
  await using world = await openWorld()
  for (let made = 0; made < 3; made += 1) await store(world, {}, {}, {})
  const document = `query($id: ID!, $first: Int!) {
    _entities(representations: [{ __typename: "Organization", id: $id }]) {
      ... on Organization {
        tunnels(first: $first) {
          nodes { urls status region requests(first: 2) { nodes { tunnel { name status } } } }
        }
        requests(first: $first) { nodes { tunnel { name } } }
      }
    }
  }`
  const count = async (first: number) => {
    world.db.takeStatements()
    const answer = await world.ask(world.acme.member, document, { id: world.acme.id, first })
    expect(answer.errors).toBeUndefined()
    return world.db.takeStatements().length
  }

  const counts = [await count(1), await count(3)]

  // The two lists, the relays, the log of all tunnels, and the tunnels of the requests that are not listed.
  expect(Math.max(...counts)).toBeLessThanOrEqual(5)
})

test('references of one call are read with one statement each kind', async () => {
  await using world = await openWorld()
  const { tunnel, records } = await store(world, {}, {}, {}, {})
  const other = await createTunnel(world.acme.as(), world.acme.id, {})
  const representations = [
    ...[tunnel, other].map(({ id }) => ({ __typename: 'Tunnel', id })),
    ...records.map(({ id }) => ({ __typename: 'CapturedRequest', id })),
  ]
  world.db.takeStatements()

  const answer = await world.ask(
    world.acme.member,
    `query($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Tunnel { name } ... on CapturedRequest { path tunnel { name } } } }`,
    { representations },
  )

  expect(answer.data?.['_entities']).toHaveLength(6)
  expect(world.db.takeStatements().length).toBeLessThanOrEqual(3)
})

test('the log of a deleted tunnel still names it', async () => {
  await using world = await openWorld()
  const { tunnel } = await store(world, {})
  await deleteTunnel(world.acme.as(), tunnel.id)

  const answer = await world.ask(
    world.acme.member,
    `query($id: ID!, $tunnel: ID!) {
      tunnel(id: $tunnel) { id }
      _entities(representations: [{ __typename: "Organization", id: $id }]) {
        ... on Organization { requests { nodes { tunnel { name status } } } tunnels { nodes { id } } }
      }
    }`,
    { id: world.acme.id, tunnel: tunnel.id },
  )

  expect(answer.data).toEqual({
    tunnel: null,
    _entities: [
      {
        requests: { nodes: [{ tunnel: { name: tunnel.name, status: 'DELETED' } }] },
        tunnels: { nodes: [] },
      },
    ],
  })
})
