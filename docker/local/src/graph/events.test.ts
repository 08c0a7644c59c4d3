import { redisKeys } from '@sluice/schema/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createTunnel, putOnPlan, recordOf, tellRequests, tellUsage } from './traffic.ts'
import { codeOf, eventually, openWorld, type Person, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const create = ({ token, organizationId }: Person) =>
  world.ask(
    'mutation($id: ID!) { createTunnel(organizationId: $id, input: {}) { id } }',
    { id: organizationId },
    { token },
  )

const trafficEvents = `subscription($tunnelId: ID!) { trafficEvents(tunnelId: $tunnelId) { cursor missed
  request { id path status }
  tunnel { id customDomains { domain } owner { email } organization { id name plan { id } } } } }`
const requestCaptured = `subscription($id: ID!, $after: String) { requestCaptured(organizationId: $id, after: $after) {
  cursor request { id path tunnel { id owner { email } organization { name plan { id } } } } } }`
const tunnelStatus = `subscription($id: ID!) { tunnelStatus(organizationId: $id) {
  status tunnel { id name owner { email } } organization { name plan { id } usage { tunnels { limit } } } } }`

test('a plan that staff changes decides how many tunnels may be made', async () => {
  const owner = await world.signUp('plan')
  for (let n = 0; n < 3; n += 1) expect((await create(owner)).errors).toBeUndefined()
  expect(codeOf(await create(owner))).toBe('SLUICE_TUNNELS_MAX')

  await putOnPlan(world, owner, 'starter')
  const answers = await Promise.all(Array.from({ length: 9 }, () => create(owner)))
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(7)
  const refused = answers.filter(({ errors }) => errors).map(codeOf)
  expect(refused).toEqual(['SLUICE_TUNNELS_MAX', 'SLUICE_TUNNELS_MAX'])

  // A smaller plan takes nothing away, but nothing more is made.
  await putOnPlan(world, owner, 'free')
  expect(codeOf(await create(owner))).toBe('SLUICE_TUNNELS_MAX')
})

test('usage that a relay counted appears once in the organization’s usage, however often it is told', async () => {
  const owner = await world.signUp('usage')
  const tunnel = await createTunnel(world, owner)
  const batch = crypto.randomUUID()
  const count = { requests: 7, bytesIn: 100, bytesOut: 1_000 }
  await tellUsage(world, tunnel, count, batch)
  await tellUsage(world, tunnel, count, batch)
  await tellUsage(world, tunnel, { requests: 3, bytesIn: 0, bytesOut: 5 })
  const usage = async () => {
    const { data } = await world.ask(
      'query($id: ID!) { organization(id: $id) { usage { requests { used limit } bytes { used } tunnels { used } } } }',
      { id: owner.organizationId },
      { token: owner.token },
    )
    return data.organization.usage
  }
  await eventually(async () => (await usage()).requests.used >= 10)
  await eventually(async () => (await usage()).tunnels.used === 1)
  expect(await usage()).toEqual({
    requests: { used: 10, limit: 20_000 },
    bytes: { used: 1_105 },
    tunnels: { used: 1 },
  })
})

test('requests that a relay tells come live and from the log, joined over all subgraphs, and stay in the log', async () => {
  const owner = await world.signUp('live')
  await putOnPlan(world, owner, 'pro')
  const tunnel = await createTunnel(world, owner)
  const { organizationId: id, token } = owner
  const traffic = world.follow(trafficEvents, { tunnelId: tunnel.id }, token)
  const stored = world.follow(requestCaptured, { id }, token)
  await world.heard(`sluice:traffic:${tunnel.id}`)
  await world.heard(`sluice:requests-stored:${id}`)
  const records = [
    recordOf(tunnel, { path: '/one' }),
    recordOf(tunnel, { path: '/two', status: 404 }),
  ]
  await tellRequests(world, records)

  const organization = { name: 'live’s organization', plan: { id: 'pro' } }
  const joined = { id: tunnel.id, owner: { email: owner.email }, organization }
  for (const [index, record] of records.entries()) {
    const now = await traffic.payload(index)
    expect(now.errors).toBeUndefined()
    expect(now.data.trafficEvents).toEqual({
      cursor: record.id,
      missed: 0,
      request: { id: record.id, path: record.path, status: record.status },
      tunnel: { ...joined, customDomains: [], organization: { id, ...organization } },
    })
    const later = await stored.payload(index)
    expect(later.errors).toBeUndefined()
    expect(later.data.requestCaptured.request).toEqual({
      id: record.id,
      path: record.path,
      tunnel: joined,
    })
  }
  const log = await world.ask(
    'query($id: ID!) { tunnel(id: $id) { requests(filter: { statusMin: 400 }) { nodes { id path } } } }',
    { id: tunnel.id },
    { token },
  )
  expect(log.data.tunnel.requests.nodes).toEqual([{ id: records[1]?.id, path: '/two' }])

  // A reader that comes back goes on where it stopped: nothing is missed, nothing comes twice.
  stored.close()
  await tellRequests(world, [recordOf(tunnel, { path: '/three' })])
  const cursor = stored.payloads[0]?.data.requestCaptured.cursor
  const again = world.follow(requestCaptured, { id, after: cursor }, token)
  await tellRequests(world, [recordOf(tunnel, { path: '/four' })])
  await again.payload(2)
  const paths = again.payloads.map(({ data }) => data.requestCaptured.request.path)
  expect(paths).toEqual(['/two', '/three', '/four'])
})

test('the status of a tunnel comes live with its owner, its organization’s plan and usage', async () => {
  const owner = await world.signUp('status')
  const live = world.follow(tunnelStatus, { id: owner.organizationId }, owner.token)
  await world.heard(`sluice:tunnel-status:${owner.organizationId}`)
  const tunnel = await createTunnel(world, owner)
  const { data, errors } = await live.payload(0)
  expect(errors).toBeUndefined()
  expect(data.tunnelStatus).toMatchObject({
    status: 'STOPPED',
    tunnel: { id: tunnel.id, owner: { email: owner.email } },
    organization: {
      name: 'status’s organization',
      plan: { id: 'free' },
      usage: { tunnels: { limit: 3 } },
    },
  })
})

test('a live request under another organization’s name reaches no follower of the tunnel', async () => {
  const [owner, other] = await Promise.all([world.signUp('mine'), world.signUp('theirs')])
  const tunnel = await createTunnel(world, owner)
  const live = world.follow(trafficEvents, { tunnelId: tunnel.id }, owner.token)
  await world.heard(`sluice:traffic:${tunnel.id}`)
  await tellRequests(world, [recordOf({ ...tunnel, organizationId: other.organizationId })])
  const good = recordOf(tunnel)
  await tellRequests(world, [good])
  expect((await live.payload(0)).data.trafficEvents.cursor).toBe(good.id)
})

test('everything comes back by itself after Redis has lost everything', async () => {
  const owner = await world.signUp('flush')
  await putOnPlan(world, owner, 'starter')
  const tunnel = await createTunnel(world, owner)
  const live = world.follow(requestCaptured, { id: owner.organizationId }, owner.token)
  await world.heard(`sluice:requests-stored:${owner.organizationId}`)

  await world.redis.flushdb()
  // Entitlements: what changed while Redis forgot, and what was told before, both hold.
  await putOnPlan(world, owner, 'pro')
  for (let n = 0; n < 10; n += 1) expect((await create(owner)).errors).toBeUndefined()
  // Hosts: a relay tells offline from unknown by this hash.
  await eventually(
    async () =>
      (await world.redis.hget(redisKeys.endpointHosts, tunnel.endpointHost)) === tunnel.id,
  )
  // Consumers of the streams, and those who follow.
  await eventually(async () => {
    await tellRequests(world, [recordOf(tunnel)])
    return live.payloads.length > 0
  })
  expect(live.isOver).toBe(false)
  await tellUsage(world, tunnel, { requests: 5, bytesIn: 1, bytesOut: 1 })
  await eventually(async () => {
    const { data } = await world.ask(
      'query($id: ID!) { organization(id: $id) { usage { requests { used } } } }',
      { id: owner.organizationId },
      { token: owner.token },
    )
    return data.organization.usage.requests.used === 5
  })
})
