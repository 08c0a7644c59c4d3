import { forkSystem } from '@sluice/kit/database'
import { expect, test } from 'vitest'

import { createWorld } from '../testing/world.ts'
import { forgetTunnel } from '../tunnel/forget-tunnel.ts'
import { CustomDomain } from './custom-domain.entity.ts'
import {
  addCustomDomain,
  attachCustomDomain,
  detachCustomDomain,
  removeCustomDomain,
  verifyCustomDomain,
} from './custom-domain.ts'
import { recordDnsCheck } from './dns-schedule.ts'

const name = 'www.acme.test'

test('each change of a domain is told to the audit once, and what changes nothing is not', async () => {
  const world = await createWorld()
  const { id } = await world.verified(world.acme, name)
  const tunnelId = await world.tunnel(world.acme)

  await addCustomDomain(world.asAcme(), { organizationId: world.acme, domain: name })
  await verifyCustomDomain(world.asAcme(), id)
  await attachCustomDomain(world.asAcme(), { id, tunnelId })
  await attachCustomDomain(world.asAcme(), { id, tunnelId })
  await detachCustomDomain(world.asAcme(), id)
  await detachCustomDomain(world.asAcme(), id)
  await removeCustomDomain(world.asAcme(), id)

  expect(await world.acts()).toEqual([
    ['domain.added', 'user', name],
    ['domain.verified', 'user', name],
    ['domain.attached', 'user', `${name}: tunnel ${tunnelId}`],
    ['domain.detached', 'user', `${name}: tunnel ${tunnelId}`],
    ['domain.removed', 'user', name],
  ])
})

test('what happens to a domain by itself is told as done by the platform', async () => {
  const world = await createWorld()
  const em = forkSystem(world.db.orm)
  const added = await addCustomDomain(world.asAcme(), { organizationId: world.acme, domain: name })
  const found = await em.findOneOrFail(CustomDomain, { id: added.id })
  const proof = { txtFound: true, cnameFound: true, problem: null }

  await Promise.all(
    [1, 2].map(() => recordDnsCheck(forkSystem(world.db.orm), found, proof, new Date())),
  )
  const tunnelId = await world.tunnel(world.acme)
  await attachCustomDomain(world.asAcme(), { id: added.id, tunnelId })
  await em.transactional((inside) => forgetTunnel(inside, tunnelId))

  expect((await world.acts()).map(([action, actor]) => [action, actor])).toEqual([
    ['domain.added', 'user'],
    ['domain.verified', 'system'],
    ['domain.attached', 'user'],
    ['domain.detached', 'system'],
  ])
})
