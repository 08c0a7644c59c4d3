import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'

import { createTunnel, putOnPlan, recordOf, tellRequests, type TestTunnel } from './traffic.ts'
import { codeOf, eventually, openWorld, type GraphError, type Person, type World } from './world.ts'

let world: World
let owner: Person
let tunnel: TestTunnel
beforeAll(async () => {
  world = await openWorld()
  owner = await world.signUp('outage')
  await putOnPlan(world, owner, 'pro')
  tunnel = await createTunnel(world, owner)
})
afterAll(() => world[Symbol.asyncDispose]())

const page = `query($id: ID!) { organization(id: $id) { name members { nodes { role } }
  plan { id } usage { tunnels { used } } tunnels { nodes { id owner { email } } } customDomains { nodes { id } } } }`
const ask = () => world.ask(page, { id: owner.organizationId }, { token: owner.token })
const captured = `subscription($id: ID!, $after: String) { requestCaptured(organizationId: $id, after: $after) {
  cursor request { path tunnel { name organization { name plan { id } } owner { email } } } } }`

/** What an error of an outage may say: code and place, nothing of the inside. */
function expectUnavailable(errors: readonly GraphError[] | undefined, paths: string[]) {
  expect((errors ?? []).map(({ path }) => path?.join('.'))).toEqual(paths)
  expect(new Set(errors?.map((error) => codeOf({ errors: [error] })))).toEqual(
    new Set(['SLUICE_SUBGRAPH_UNAVAILABLE']),
  )
  expect(JSON.stringify(errors)).not.toMatch(
    /127\.0\.0\.1|ECONN|localhost|:\d{4,5}|serviceName|stack/i,
  )
}

/** Follows what is stored; what is told from now on arrives. */
async function follow() {
  const live = world.follow(captured, { id: owner.organizationId }, owner.token)
  onTestFinished(() => live.close())
  await world.heard(`sluice:requests-stored:${owner.organizationId}`)
  return live
}

beforeEach(async () => {
  await eventually(async () => (await ask()).errors === undefined)
  // Followers of the test before have gone.
  const { organizationId } = owner
  await eventually(async () => !(await world.isHeard(`sluice:requests-stored:${organizationId}`)))
})

test('without billing its fields are null with code and path, and the rest is answered; with it all is back', async () => {
  const whole = await ask()
  expect(whole.errors).toBeUndefined()
  await world.stop('billing')
  const { data, errors, text } = await ask()
  const { organization } = data
  expect(organization).toEqual({ ...whole.data.organization, plan: null, usage: null })
  expectUnavailable(errors, ['organization'])
  expect(text).not.toContain('127.0.0.1')

  await world.start('billing')
  await eventually(async () => (await ask()).errors === undefined)
  expect((await ask()).data).toEqual(whole.data)
})

test('without tunnels and domains the organization, its members and its plan are still there', async () => {
  await Promise.all([world.stop('tunnels'), world.stop('domains')])
  const { data, errors } = await ask()
  expect(data.organization).toMatchObject({
    tunnels: null,
    customDomains: null,
    plan: { id: 'pro' },
  })
  expect(data.organization.members.nodes).toHaveLength(1)
  expectUnavailable(errors, ['organization', 'organization'])
  await Promise.all([world.start('tunnels'), world.start('domains')])
  await eventually(async () => (await ask()).errors === undefined)
})

test('a live subscription delivers null for the join whose subgraph is down, and all of it afterwards', async () => {
  const live = await follow()
  await tellRequests(world, [recordOf(tunnel, { path: '/with' })])
  const whole = (await live.payload(0)).data.requestCaptured.request
  expect(whole.tunnel.organization).toEqual({ name: 'outage’s organization', plan: { id: 'pro' } })

  await world.stop('billing')
  await tellRequests(world, [recordOf(tunnel, { path: '/without' })])
  const { data, errors } = await live.payload(1)
  expect(data.requestCaptured.request).toEqual({
    path: '/without',
    tunnel: { ...whole.tunnel, organization: { ...whole.tunnel.organization, plan: null } },
  })
  expectUnavailable(errors, ['requestCaptured.request.tunnel.organization'])

  await world.start('billing')
  await tellRequests(world, [recordOf(tunnel, { path: '/again' })])
  const again = await live.payload(2)
  expect(again.errors).toBeUndefined()
  expect(again.data.requestCaptured.request).toEqual({ ...whole, path: '/again' })
})

test('a subscription whose own subgraph dies says so and ends, and can be resumed behind its cursor', async () => {
  const live = await follow()
  await tellRequests(world, [recordOf(tunnel, { path: '/before' })])
  const { cursor } = (await live.payload(0)).data.requestCaptured

  await world.stop('tunnels')
  expect(codeOf(await live.payload(1))).toBe('SLUICE_SUBSCRIPTION_LOST')
  expect(await live.ended).toEqual({ complete: true })
  // Workers store meanwhile: they need no subgraph.
  await tellRequests(world, [recordOf(tunnel, { path: '/meanwhile' })])

  const early = world.follow(captured, { id: owner.organizationId, after: cursor }, owner.token)
  expect(codeOf(await early.payload(0))).toBe('SLUICE_SUBGRAPH_UNAVAILABLE')
  await world.start('tunnels')
  const resumed = world.follow(captured, { id: owner.organizationId, after: cursor }, owner.token)
  onTestFinished(() => resumed.close())
  const first = await resumed.payload(0)
  expect(first.data.requestCaptured.request.path).toBe('/meanwhile')
  await tellRequests(world, [recordOf(tunnel, { path: '/after' })])
  expect((await resumed.payload(1)).data.requestCaptured.request.path).toBe('/after')
})

test('without identity nobody is taken for the anonymous, and those it knew a moment ago go on', async () => {
  await ask()
  await world.stop('identity')
  const known = await world.ask(
    'query($id: ID!) { tunnel(id: $id) { id owner { email } } }',
    { id: tunnel.id },
    { token: owner.token },
  )
  expect(known.data.tunnel).toEqual({ id: tunnel.id, owner: null })
  expectUnavailable(known.errors, ['tunnel.owner'])
  const unknown = await world.ask('{ plans { id } }', {}, { token: `${owner.token}x` })
  expect(codeOf(unknown)).toBe('SLUICE_SUBGRAPH_UNAVAILABLE')
  expect(await world.start('identity')).toBeNull()
})
