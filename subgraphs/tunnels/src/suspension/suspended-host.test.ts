import { OutboxEvent } from '@sluice/kit/outbox'
import { redisChannels } from '@sluice/schema/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openWorld, relayPrincipal, waitMs, type World } from '../testing/world.ts'
import { renewAgentToken, startTunnel } from '../tunnel/start-tunnel.ts'
import { Tunnel } from '../tunnel/tunnel.entity.ts'
import {
  listSuspendedHosts,
  suspendedHostPage,
  suspendHost,
  unsuspendHost,
} from './suspended-host.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
  await world.relay()
})
afterAll(() => world[Symbol.asyncDispose]())

const reason = 'Phishing.'
const staff = () => world.context({ ...world.globex.member, memberships: [], isAdmin: true })

test(
  'a suspended host gets no agent token, its customer learns why, and relays are told',
  async () => {
    const { tunnel, grant } = await startTunnel(world.acme.as(), { name: 'phish' })
    const heard = Promise.withResolvers<unknown>()
    const leave = await world.parts.hub.subscribe(redisChannels.revocations, (message) =>
      heard.resolve(JSON.parse(message)),
    )

    await suspendHost(staff(), ` ${tunnel.endpointHost.toUpperCase()}. `, reason)

    const refusal = { code: 'SLUICE_TUNNEL_SUSPENDED', details: { reason } }
    await expect(startTunnel(world.acme.as(), { name: 'phish' })).rejects.toMatchObject(refusal)
    const renewed = renewAgentToken(world.acme.as(), tunnel.id, grant.epoch)
    await expect(renewed).rejects.toMatchObject(refusal)
    expect(await heard.promise).toMatchObject({ kind: 'host', id: tunnel.endpointHost, reason })
    leave()
    const listed = await listSuspendedHosts(world.context(relayPrincipal))
    expect(listed).toMatchObject([{ name: tunnel.endpointHost, reason }])
    const shown = await world.ask(
      world.acme.member,
      'query ($id: ID!) { tunnel(id: $id) { suspension { name reason } } }',
      { id: tunnel.id },
    )
    expect(shown.data).toEqual({ tunnel: { suspension: { name: tunnel.endpointHost, reason } } })
    const told = await world.em().find(OutboxEvent, { name: 'act.recorded' })
    const act = told.map(({ payload }) => payload as Record<string, unknown>)
    expect(act).toContainEqual(
      expect.objectContaining({ action: 'host.suspended', organizationId: world.acme.id }),
    )

    await unsuspendHost(staff(), tunnel.endpointHost)
    const again = await startTunnel(world.acme.as(), { name: 'phish' })
    expect(again.grant.agentToken).not.toBe('')
  },
  4 * waitMs,
)

test('the name stays suspended for whoever takes it next', async () => {
  const { tunnel } = await startTunnel(world.acme.as(), { name: 'taken' })
  await suspendHost(staff(), tunnel.endpointHost, reason)
  await world.em().nativeUpdate(Tunnel, { id: tunnel.id }, { deletedAt: new Date() })

  await expect(startTunnel(world.globex.as(), { name: 'taken' })).rejects.toMatchObject({
    code: 'SLUICE_TUNNEL_SUSPENDED',
  })
})

test('only staff suspends hosts, once each, and only names', async () => {
  const forbidden = { code: 'SLUICE_FORBIDDEN' }
  await expect(suspendHost(world.acme.as(), 'a.example.test', reason)).rejects.toMatchObject(
    forbidden,
  )
  await expect(suspendedHostPage(world.acme.as(), {})).rejects.toMatchObject(forbidden)
  await expect(listSuspendedHosts(staff())).rejects.toMatchObject({
    code: 'SLUICE_RELAY_KEY_INVALID',
  })
  for (const name of ['', 'a b.test', 'tcp:', 'https://a.test', 'x'.repeat(300)]) {
    await expect(suspendHost(staff(), name, reason)).rejects.toMatchObject({
      code: 'SLUICE_INPUT_INVALID',
    })
  }
  const twice = await Promise.allSettled([
    suspendHost(staff(), 'tcp:20001', reason),
    suspendHost(staff(), 'tcp:20001', reason),
  ])
  expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect((await suspendedHostPage(staff(), { first: 1 })).nodes).toMatchObject([
    { name: 'tcp:20001' },
  ])
})
