import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  attachDomain,
  createTunnel,
  putOnPlan,
  recordOf,
  tellRequests,
  type TestTunnel,
} from './traffic.ts'
import { eventually, openWorld, type Person, type World } from './world.ts'

let world: World
let owner: Person
const tunnels: TestTunnel[] = []
const domains: { id: string; domain: string }[] = []

beforeAll(async () => {
  world = await openWorld()
  owner = await world.signUp('owner')
  await putOnPlan(world, owner, 'business')
  await addRows(2)
})
afterAll(() => world[Symbol.asyncDispose]())

/** Tunnels, each with a custom domain and two stored requests. */
async function addRows(count: number) {
  for (let n = 0; n < count; n += 1) {
    const tunnel = await createTunnel(world, owner)
    tunnels.push(tunnel)
    domains.push(await attachDomain(world, owner, tunnel))
    await tellRequests(world, [recordOf(tunnel), recordOf(tunnel)])
  }
  const stored = async () =>
    (await world.sql<{ n: string }>('select count(*) as n from tunnels.captured_request'))[0]?.n
  await eventually(async () => (await stored()) === String(tunnels.length * 2))
}

const ask = (query: string, variables: Record<string, unknown> = {}) =>
  world.ask(query, { id: owner.organizationId, ...variables }, { token: owner.token })

const ofOrganization = `query($id: ID!) { organization(id: $id) { id name
  plan { id monthlyPriceMinor } entitlements { maxTunnels } usage { tunnels { used limit } }
  tunnels { nodes { id endpointHost customDomains { id domain organization { id name } tunnel { name } } } } } }`
const ofTunnels = `query($id: ID!) { organization(id: $id) { tunnels { nodes { id status
  owner { id email } organization { id name plan { id } usage { tunnels { used } } }
  requests(first: 5) { nodes { id tunnel { id organization { id slug } owner { name } } } } } } } }`
const ofRequests = `query($id: ID!) { organization(id: $id) { requests { nodes { id status
  tunnel { id name customDomains { domain } owner { email } organization { id name entitlements { maxTunnels } } } } } } }`
const ofDomains = `query($id: ID!) { organization(id: $id) { customDomains { nodes { id domain
  organization { name plan { id } } tunnel { id status owner { email } } } } } }`

test('an organization joins its tunnels, their custom domains, its plan, entitlements and usage', async () => {
  const { data, errors } = await ask(ofOrganization)
  expect(errors).toBeUndefined()
  const { organization } = data
  expect(organization).toMatchObject({
    plan: { id: 'business', monthlyPriceMinor: 9_900 },
    entitlements: { maxTunnels: 250 },
  })
  const found = organization.tunnels.nodes.map((tunnel: Record<string, unknown>) => [
    tunnel['endpointHost'],
    tunnel['customDomains'],
  ])
  const expected = tunnels.map(({ endpointHost }, n) => [
    endpointHost,
    [
      {
        ...domains[n],
        organization: { id: owner.organizationId, name: organization.name },
        tunnel: { name: endpointHost.split('.')[0] },
      },
    ],
  ])
  expect(found).toEqual(expected.toReversed())
  await expect
    .poll(async () => (await ask(ofOrganization)).data.organization.usage.tunnels)
    .toEqual({ used: tunnels.length, limit: 250 })
})

test('a tunnel joins its owner, its organization and its requests, which lead back to it', async () => {
  const { data, errors } = await ask(ofTunnels)
  expect(errors).toBeUndefined()
  const { nodes } = data.organization.tunnels
  expect(nodes).toHaveLength(tunnels.length)
  for (const tunnel of nodes) {
    expect(tunnel).toMatchObject({
      owner: { id: owner.userId, email: owner.email },
      organization: { id: owner.organizationId, plan: { id: 'business' } },
    })
    expect(tunnel.requests.nodes).toHaveLength(2)
    for (const request of tunnel.requests.nodes) {
      expect(request.tunnel).toMatchObject({
        id: tunnel.id,
        organization: { id: owner.organizationId },
        owner: { name: 'owner' },
      })
    }
  }
})

test('a captured request joins its tunnel, the tunnel’s organization and its custom domains', async () => {
  const { data, errors } = await ask(ofRequests)
  expect(errors).toBeUndefined()
  const { nodes } = data.organization.requests
  expect(nodes).toHaveLength(tunnels.length * 2)
  const one = await ask(
    'query($request: ID!) { capturedRequest(id: $request) { tunnel { id customDomains { domain } organization { id usage { tunnels { limit } } } } } }',
    { request: nodes[0].id },
  )
  expect(one.errors).toBeUndefined()
  expect(one.data.capturedRequest.tunnel).toEqual({
    id: tunnels.at(-1)?.id,
    customDomains: [{ domain: domains.at(-1)?.domain }],
    organization: { id: owner.organizationId, usage: { tunnels: { limit: 250 } } },
  })
})

test('five times the rows take no more statements, in any join', async () => {
  const queries = { ofOrganization, ofTunnels, ofRequests, ofDomains }
  const isRead = (statement: string) => /^select/i.test(statement)
  /** Several runs: events are applied meanwhile, and two equal fetches of one query may share an answer. */
  const countsOf = async (query: string) => {
    const counts: number[] = []
    for (let run = 0; run < 5; run += 1) {
      world.statements.take()
      expect((await ask(query)).errors).toBeUndefined()
      counts.push(world.statements.take().filter(isRead).length)
    }
    return counts
  }
  const few: Record<string, number> = {}
  for (const [name, query] of Object.entries(queries))
    few[name] = Math.max(...(await countsOf(query)))
  await addRows(8)
  for (const [name, query] of Object.entries(queries)) {
    const many = Math.min(...(await countsOf(query)))
    expect(many).toBeGreaterThan(1)
    expect(many).toBeLessThanOrEqual(few[name] ?? 0)
    expect(few[name]).toBeLessThan(20)
  }
})
