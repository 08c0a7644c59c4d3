import { authtokenOf, memberOf } from '@sluice/kit/testing'
import { redisKeys } from '@sluice/schema/redis'
import { expect, test } from 'vitest'

import { Organization } from '../organization/organization.entity.ts'
import { openWorld } from '../testing/world.ts'
import { createTunnel } from './create-tunnel.ts'
import { Tunnel } from './tunnel.entity.ts'
import { deleteTunnel } from './tunnel.ts'

test('of two organizations that ask at once, one gets the endpoint host', async () => {
  await using world = await openWorld()
  const { acme, globex } = world

  const asked = [acme, globex].map((one) => createTunnel(one.as(), one.id, { name: 'app' }))
  const answers = await Promise.allSettled(asked)

  expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'SLUICE_ENDPOINT_HOST_TAKEN' },
  })
  expect(await world.em().count(Tunnel, { endpointHost: 'app.tunnel.localhost' })).toBe(1)
})

test('however many are made at once, an organization gets the tunnels of its plan and no more', async () => {
  await using world = await openWorld()
  const { acme } = world
  const names = Array.from({ length: 8 }, (_none, index) => `app-${index}`)

  const asked = names.map((name) => createTunnel(acme.as(), acme.id, { name }))
  const answers = await Promise.allSettled(asked)

  const refused = answers.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(5)
  expect(refused[0]).toMatchObject({ reason: { code: 'SLUICE_TUNNELS_MAX', details: { max: 3 } } })
  expect(await world.em().count(Tunnel, { organizationId: acme.id })).toBe(3)
})

test('a plan that allows more lets more be made', async () => {
  await using world = await openWorld()
  const { acme } = world
  const entitlements = {
    maxTunnels: 5,
    maxConcurrentConnections: 50,
    maxCustomDomains: 1,
    portTunnels: true,
    maxMembers: 5,
    requestsPerPeriod: 1,
    bytesPerPeriod: 1,
    requestLogDays: 3,
  }
  await world.em().insert(Organization, { organizationId: acme.id, planId: 'pro', entitlements })

  for (let count = 0; count < 5; count += 1) await createTunnel(acme.as(), acme.id, {})

  await expect(createTunnel(acme.as(), acme.id, {})).rejects.toMatchObject({ details: { max: 5 } })
})

test('a deleted tunnel frees its name for its organization at once, for others after 30 days', async () => {
  await using world = await openWorld()
  const { acme, globex, clock } = world
  const create = (one: typeof acme) => createTunnel(one.as(), one.id, { name: 'app' })
  const taken = { code: 'SLUICE_ENDPOINT_HOST_TAKEN' }
  const inDays = (days: number) => {
    clock.now = () => new Date(Date.now() + days * 86_400_000)
  }
  await deleteTunnel(acme.as(), (await create(acme)).id)

  await expect(create(globex)).rejects.toMatchObject(taken)
  const again = await create(acme)
  await deleteTunnel(acme.as(), again.id)
  inDays(29)
  await expect(create(globex)).rejects.toMatchObject(taken)
  inDays(30)

  expect(await create(globex)).toMatchObject({ endpointHost: 'app.tunnel.localhost' })
  await expect(create(acme)).rejects.toMatchObject(taken)
})

test('a stranger who asks again and again while a tunnel is deleted does not get its name', async () => {
  await using world = await openWorld()
  const { acme, globex } = world
  const { id } = await createTunnel(acme.as(), acme.id, { name: 'app' })

  const asking = Array.from({ length: 6 }, () =>
    createTunnel(globex.as(), globex.id, { name: 'app' }),
  )
  const deleting = deleteTunnel(acme.as(), id)
  const answers = await Promise.allSettled(asking)
  await deleting

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 'rejected'))
  expect(await world.em().count(Tunnel, { organizationId: globex.id })).toBe(0)
})

test('a deleted tunnel frees its place in the plan', async () => {
  await using world = await openWorld()
  const { acme } = world
  const made: string[] = []
  for (let count = 0; count < 3; count += 1) {
    made.push((await createTunnel(acme.as(), acme.id, {})).id)
  }

  await deleteTunnel(acme.as(), made[0] ?? '')

  await expect(createTunnel(acme.as(), acme.id, {})).resolves.toBeDefined()
})

test('relays can tell a tunnel that exists from one that was deleted', async () => {
  await using world = await openWorld()
  const { acme, redis } = world
  const host = 'app.tunnel.localhost'

  const tunnel = await createTunnel(acme.as(), acme.id, { name: 'app' })
  const known = await redis.hget(redisKeys.endpointHosts, host)
  await deleteTunnel(acme.as(), tunnel.id)
  const after = await redis.hget(redisKeys.endpointHosts, host)

  expect([known, after]).toEqual([tunnel.id, null])
})

test('without a name a readable one is made', async () => {
  await using world = await openWorld()
  const { acme } = world

  const tunnel = await createTunnel(acme.as(), acme.id, {})

  expect(tunnel.name).toMatch(/^[a-z]+-[a-z]+-\d{4}$/)
})

test.for([
  ['Edge', 'SLUICE_TUNNEL_NAME_RESERVED'],
  ['console', 'SLUICE_TUNNEL_NAME_RESERVED'],
  ['xn--80ak6aa92e', 'SLUICE_TUNNEL_NAME_RESERVED'],
  ['-app', 'SLUICE_TUNNEL_NAME_INVALID'],
  ['app-', 'SLUICE_TUNNEL_NAME_INVALID'],
  ['a.b', 'SLUICE_TUNNEL_NAME_INVALID'],
  ['a'.repeat(64), 'SLUICE_TUNNEL_NAME_INVALID'],
] as const)('%s cannot be a name', async ([name, code]) => {
  await using world = await openWorld()
  const { acme } = world

  await expect(createTunnel(acme.as(), acme.id, { name })).rejects.toMatchObject({ code })
})

test('a viewer and an authtoken without the scope make no tunnel, a stranger finds no organization', async () => {
  await using world = await openWorld()
  const { id } = world.acme
  const create = (principal: Parameters<typeof world.context>[0]) =>
    createTunnel(world.context(principal), id, {})

  await expect(create(memberOf(id, 'VIEWER'))).rejects.toMatchObject({ code: 'SLUICE_FORBIDDEN' })
  await expect(create(authtokenOf(id, ['TUNNELS_READ']))).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  await expect(create(world.globex.member)).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_NOT_FOUND',
  })
})
