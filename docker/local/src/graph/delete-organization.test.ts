import { redisReady } from '@sluice/kit/redis'
import { redisChannels } from '@sluice/schema/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { addMember } from './members.ts'
import { attachDomain, createTunnel, putOnPlan } from './traffic.ts'
import { codeOf, eventually, openWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/**
 * What is deleted must be gone within this time, everywhere. The product promises
 * two seconds. A busy machine gets twice that, still less than the five for which a gateway remembers who is asking.
 */
const withinMs = 4_000

test('a deleted organization ends everywhere, once, and its audit stays', async () => {
  const [owner, member] = await Promise.all([world.signUp('boss'), world.signUp('team')])
  const { organizationId } = owner
  await putOnPlan(world, owner, 'pro')
  await addMember(world, owner, member, 'DEVELOPER')
  const tunnel = await createTunnel(world, owner)
  const { domain } = await attachDomain(world, owner, tunnel)
  const live = world.follow(
    'subscription($id: ID!) { tunnelStatus(organizationId: $id) { tunnelId } }',
    { id: organizationId },
    member.token,
  )
  await world.heard(redisChannels.tunnelStatus(organizationId))
  const revoked: string[] = []
  const listener = world.redis.duplicate()
  await redisReady(listener)
  listener.on('message', (_channel, text: string) => {
    const { kind, id } = JSON.parse(text) as { kind: string; id: string }
    revoked.push(`${kind}:${id}`)
  })
  await listener.subscribe(redisChannels.revocations)
  const { data } = await world.ask(
    'query($id: ID!) { organization(id: $id) { slug } }',
    { id: organizationId },
    { token: owner.token },
  )

  const sinceMs = performance.now()
  const deleted = await world.ask(
    'mutation($id: ID!, $slug: String!) { deleteOrganization(organizationId: $id, slug: $slug) }',
    { id: organizationId, slug: data.organization.slug },
    { token: owner.token },
  )

  expect(deleted.errors).toBeUndefined()
  // Relays end every session of the organization on this word.
  await expect
    .poll(() => revoked, { timeout: withinMs })
    .toContain(`organization:${organizationId}`)
  await live.ended
  expect(performance.now() - sinceMs).toBeLessThan(withinMs)
  listener.disconnect()
  const create = () =>
    world.ask(
      'mutation($id: ID!) { createTunnel(organizationId: $id, input: {}) { id } }',
      { id: organizationId },
      { token: member.token },
    )
  await eventually(async () => codeOf(await create()) === 'SLUICE_ORGANIZATION_NOT_FOUND', withinMs)

  const left = async () => {
    const [row] = await world.sql<Record<string, number>>(
      `select (select count(*)::int from tunnels.tunnel where organization_id = $1 and deleted_at is null) as tunnels,
         (select count(*)::int from domains.custom_domain where organization_id = $1) as domains,
         (select count(*)::int from billing.plan_subscription where organization_id = $1 and ended_at is null) as plans,
         (select count(*)::int from identity.member where organization_id = $1) as members`,
      [organizationId],
    )
    return row
  }
  const none = { tunnels: 0, domains: 0, plans: 0, members: 0 }
  await expect.poll(left, { timeout: 15_000 }).toEqual(none)
  const acts = () =>
    world.sql<{ action: string; details: string }>(
      `select action, details from identity.audit_entry where organization_id = $1
         and action in ('organization.deleted', 'tunnel.deleted', 'domain.removed', 'plan.ended') order by action`,
      [organizationId],
    )
  const actions = ['domain.removed', 'organization.deleted', 'plan.ended', 'tunnel.deleted']
  await expect
    .poll(async () => (await acts()).map(({ action }) => action), { timeout: 15_000 })
    .toEqual(actions)
  expect(JSON.stringify(await acts())).toContain(domain)

  // Redis has lost what it held: everything is told again.
  await world.redis.flushdb()
  const other = await world.signUp('other')
  await putOnPlan(world, other, 'pro')
  expect((await acts()).map(({ action }) => action)).toEqual(actions)
  expect(await left()).toEqual(none)
})
