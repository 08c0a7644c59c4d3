import { expect, test } from 'vitest'

import { ControlPlane } from '../testing/control-plane.ts'
import { createWorld, portOf, type World } from '../testing/world.ts'

async function worldOf(plane: ControlPlane): Promise<World> {
  return createWorld({
    registration: {
      gatewayUrl: plane.url,
      relayKey: 'slrk_test',
      edgeUrl: 'ws://edge.tunnel.test/_sluice/session',
      publicHttpUrl: 'http://tunnel.test',
      heartbeatMs: 20,
      retryFirstMs: 20,
    },
  })
}

const later = () => new Date(Date.now() + 5_000).toISOString()

test('a relay that comes up refuses what was revoked while it was away', async () => {
  await using plane = await new ControlPlane().listen()
  plane.revocations = {
    stoppedTunnels: [{ id: 'tunnel-1', at: later() }],
    revokedCredentials: [{ kind: 'authtoken', id: 'authtoken-2', at: later() }],
  }
  await using world = await worldOf(plane)
  const upstream = await world.upstream((_request, response) => response.end('ok'))
  // The second heartbeat comes after the list was asked for; sessions of before are ended by it.
  await plane.until(() => plane.revocationsAsked.length > 0)
  const stopped = await world.dial(portOf(upstream), await world.agentToken())
  const revoked = await world.dial(
    portOf(upstream),
    await world.agentToken({ tunnelId: 'tunnel-2', sub: 'authtoken-2', endpointHosts: [] }),
  )
  const good = await world.tunnel(upstream, { tunnelId: 'tunnel-3', endpointHosts: [] })

  expect(await stopped.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(await revoked.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(good.session.closed).toBe(false)
})

test('a relay that registers again ends sessions that were revoked meanwhile', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldOf(plane)
  const upstream = await world.upstream((_request, response) => response.end('ok'))
  const agent = await world.tunnel(upstream)
  await plane.until(() => plane.revocationsAsked.length > 0)

  plane.revocations = {
    stoppedTunnels: [],
    revokedCredentials: [{ kind: 'authtoken', id: 'authtoken-1', at: later() }],
  }
  plane.mood = 'SLUICE_INPUT_INVALID'
  await plane.until(() => plane.operations.filter((name) => name === 'RegisterRelay').length > 1)
  plane.mood = 'well'

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
})

test('a part of the list that could not be had is asked for again, from the same time', async () => {
  await using plane = await new ControlPlane().listen()
  plane.revocations = { stoppedTunnels: [], revokedCredentials: null }
  await using _world = await worldOf(plane)
  await plane.until(() => plane.revocationsAsked.length >= 1)
  plane.revocations = { stoppedTunnels: [], revokedCredentials: [] }
  await plane.until(() => plane.revocationsAsked.length >= 2)

  const [first, second] = plane.revocationsAsked
  // Not from where the first one stopped: a quarter of an hour is looked back each time.
  expect((second?.getTime() ?? 0) - (first?.getTime() ?? 0)).toBeLessThan(60_000)
})
