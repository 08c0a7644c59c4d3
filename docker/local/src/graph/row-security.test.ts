import { readDatabaseUrl } from '@sluice/kit/row-security'
import { queryAt } from '@sluice/kit/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { attachDomain, createTunnel, putOnPlan, recordOf, tellRequests } from './traffic.ts'
import { eventually, openWorld, type Person, type World } from './world.ts'

let world: World
let acme: Person
let globex: Person
let tables: string[]

/** Everything a member may see of an organization, in one query. */
const everything = `query($id: ID!) { organization(id: $id) { id name
  members { nodes { id } } authtokens { nodes { name } } auditEntries { nodes { action } }
  tunnels { nodes { name } } customDomains { nodes { domain } } requests { nodes { path } }
  plan { id } usage { requests { used } } } }`

async function work(person: Person) {
  await putOnPlan(world, person, 'starter')
  const tunnel = await createTunnel(world, person)
  await attachDomain(world, person, tunnel)
  await tellRequests(world, [recordOf(tunnel)])
  const { errors } = await world.ask(
    'mutation($id: ID!) { createAuthtoken(organizationId: $id, name: "laptop") { secret } }',
    { id: person.organizationId },
    { token: person.token },
  )
  expect(errors).toBeUndefined()
}

beforeAll(async () => {
  world = await openWorld([], { rowSecurity: true })
  ;[acme, globex] = await Promise.all([world.signUp('acme'), world.signUp('globex')])
  await Promise.all([work(acme), work(globex)])
  const found = await world.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.columns
     join pg_class on oid = format('%I.%I', table_schema, table_name)::regclass
     where column_name = 'organization_id' and not relispartition
       and table_schema in ('identity', 'tunnels', 'domains', 'billing') order by 1`,
  )
  tables = found.map(({ name }) => name)
})
afterAll(() => world?.[Symbol.asyncDispose]())

/** How many rows of each table a connection sees that says this. */
async function seen(setting: string, condition = 'true'): Promise<Record<string, number>> {
  const url = new URL(readDatabaseUrl(world.databaseUrl).databaseUrl)
  url.searchParams.set('options', `-c sluice.organization_ids=${setting}`)
  const counts = tables.map(
    (name) => `select '${name}' as name, count(*)::int as count from ${name} where ${condition}`,
  )
  const rows = await queryAt<{ name: string; count: number }>(url.href, counts.join(' union all '))
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}

test('the whole graph works, and shows each member the own organization', async () => {
  const ask = (who: Person, of: Person) =>
    world.ask(everything, { id: of.organizationId }, { token: who.token })
  await eventually(async () => {
    const { data } = await ask(acme, acme)
    return data?.organization?.requests?.nodes.length === 1
  })

  const own = await ask(acme, acme)
  const foreign = await ask(acme, globex)

  expect(own.errors).toBeUndefined()
  const { organization } = own.data
  expect(organization.tunnels.nodes).toHaveLength(1)
  expect(organization.customDomains.nodes).toHaveLength(1)
  expect(organization.authtokens.nodes).toEqual([{ name: 'laptop' }])
  expect(organization.plan).toEqual({ id: 'starter' })
  expect(foreign.data.organization).toBeNull()
})

test('no table of an organization shows a row of another, whatever a query forgets', async () => {
  const foreign = await seen(
    acme.organizationId,
    `organization_id is distinct from '${acme.organizationId}'`,
  )
  const own = await seen(acme.organizationId)
  const all = await seen('*')
  const silent = await seen('')

  const none = Object.fromEntries(tables.map((name) => [name, 0]))
  expect(foreign).toEqual(none)
  expect(silent).toEqual(none)
  for (const name of [
    'identity.member',
    'identity.audit_entry',
    'tunnels.tunnel',
    'domains.custom_domain',
    'billing.plan_subscription',
  ]) {
    expect([name, own[name]]).not.toEqual([name, 0])
    expect(all[name]).toBeGreaterThan(own[name] ?? 0)
  }
})
