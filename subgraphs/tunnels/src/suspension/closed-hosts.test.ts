import type { EventEnvelope } from '@sluice/schema/events'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { AttachedDomain } from '../domain/attached-domain.entity.ts'
import { codeOf, openWorld, relayPrincipal, type World } from '../testing/world.ts'
import { createTunnel } from '../tunnel/create-tunnel.ts'
import { startTunnel } from '../tunnel/start-tunnel.ts'
import { Tunnel } from '../tunnel/tunnel.entity.ts'
import { deleteTunnel } from '../tunnel/tunnel.ts'
import { listClosedHosts, suspensionEvents } from './closed-hosts.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const envelope: EventEnvelope = {
  id: crypto.randomUUID(),
  name: '',
  entity: '',
  version: 1,
  occurredAt: '',
  payload: {},
}

/** What identity tells; `null` lifts it. */
async function hear(of: { organizationId: string } | { userId: string }, at: Date | null) {
  let told = 0
  const handlers = suspensionEvents(() => (told += 1))
  const suspendedAt = at?.toISOString() ?? null
  await world
    .em()
    .transactional((em) =>
      'userId' in of
        ? handlers['user.suspension-changed']?.(em, { ...of, suspendedAt }, envelope)
        : handlers['organization.suspension-changed']?.(em, { ...of, suspendedAt }, envelope),
    )
  expect(told).toBe(1)
}

const closed = () => listClosedHosts(world.context(relayPrincipal))

test('the hosts of a suspended organization are closed, its domains too, until it is lifted', async () => {
  const { acme, globex } = world
  const tunnel = await createTunnel(acme.as(), acme.id, { name: 'closed' })
  const other = await createTunnel(globex.as(), globex.id, { name: 'open' })
  const gone = await createTunnel(acme.as(), acme.id, { name: 'gone' })
  await deleteTunnel(acme.as(), gone.id)
  const em = world.em()
  em.create(AttachedDomain, {
    domainId: crypto.randomUUID(),
    organizationId: acme.id,
    domain: 'Shop.example.com',
    tunnelId: tunnel.id,
  })
  await em.flush()

  await hear({ organizationId: acme.id }, new Date())

  expect((await closed()).toSorted()).toEqual(['shop.example.com', tunnel.endpointHost].toSorted())
  expect(await closed()).not.toContain(other.endpointHost)

  await hear({ organizationId: acme.id }, null)
  expect(await closed()).toEqual([])
})

test('of a suspended person the hosts that they own are closed, in every organization', async () => {
  const { acme, globex } = world
  const userId = crypto.randomUUID()
  const theirs = await Promise.all(
    [acme, globex].map((one, at) => createTunnel(one.as(), one.id, { name: `theirs-${at}` })),
  )
  const others = await createTunnel(acme.as(), acme.id, { name: 'others' })
  const ids = theirs.map(({ id }) => id)
  await world.em().nativeUpdate(Tunnel, { id: { $in: ids } }, { ownerId: userId })

  await hear({ userId }, new Date())
  await hear({ userId }, new Date())

  const hosts = await closed()
  expect(hosts.toSorted()).toEqual(theirs.map(({ endpointHost }) => endpointHost).toSorted())
  expect(hosts).not.toContain(others.endpointHost)

  await hear({ userId }, null)
  expect(await closed()).toEqual([])
})

test('a start that was on its way when the organization was suspended gets no agent token', async () => {
  await world.relay()
  const { globex } = world
  const asked = globex.as()
  await hear({ organizationId: globex.id }, new Date())

  await expect(startTunnel(asked, { name: 'late' })).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_SUSPENDED',
  })

  await hear({ organizationId: globex.id }, null)
  const { grant } = await startTunnel(globex.as(), { name: 'late' })
  expect(grant.agentToken).not.toBe('')
})

test('only a relay is told which hosts are closed', async () => {
  const answer = await world.ask(world.acme.member, '{ relayClosedHosts }')
  expect(codeOf(answer)).toBe('SLUICE_RELAY_KEY_INVALID')
  expect(await world.ask(relayPrincipal, '{ relayClosedHosts }')).toEqual({
    data: { relayClosedHosts: [] },
  })
})
