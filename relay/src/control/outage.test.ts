import { redisChannels } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'

import type { RelayOptions } from '../server.ts'
import { ControlPlane } from '../testing/control-plane.ts'
import { createWorld, host, portOf, type World } from '../testing/world.ts'
import { Outage } from './outage.ts'

const get = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

/** A relay whose control plane is a fixture, with an hour of grace unless said otherwise. */
function worldWith(plane: ControlPlane, options: Partial<RelayOptions> = {}): Promise<World> {
  const registration = { gatewayUrl: plane.url, relayKey: 'slrk_test', edgeUrl: 'ws://edge' }
  return createWorld({
    outageMs: 3_600_000,
    registration: { ...registration, publicHttpUrl: 'http://x', heartbeatMs: 5, retryFirstMs: 2 },
    ...options,
  })
}

/** Reads a gauge until it is so. */
async function until(world: World, gauge: string, value: number): Promise<void> {
  const line = new RegExp(`^sluice_relay_${gauge}(\\{[^}]*\\})? ${value}$`, 'm')
  let text = ''
  while (!line.test(text)) {
    text = await (await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)).text()
  }
}

/** A short life that is still long enough to say hello: `exp` counts whole seconds, so this is one to two. */
const soon = () => ({ exp: Math.floor(Date.now() / 1000) + 2 })

/** A tunnel whose token ends soon. On a machine that stood still it has ended before it was shown: then another one. */
async function shortTunnel(world: World, port: number, claims = {}) {
  for (;;) {
    const token = { ...soon(), jti: crypto.randomUUID(), ...claims }
    const agent = await world.dial(port, await world.agentToken(token))
    const refused = agent.refused.then(() => undefined)
    if (await Promise.race([agent.welcome, refused])) return { agent, token }
  }
}

/** A tunnel past its agent token, with the control plane away. */
async function tunnelInGrace(world: World, plane: ControlPlane, claims = {}) {
  plane.mood = 'away'
  await until(world, 'control_plane_away', 1)
  const upstream = await world.upstream((_, response) => response.end('served'))
  const { agent, token } = await shortTunnel(world, portOf(upstream), claims)
  await until(world, 'sessions_in_grace', 1)
  return { agent, upstream, token }
}

test('grace is measured from expiry, is bounded, and ends soon after the outage', () => {
  let now = 1_000_000
  const outage = new Outage({ limitMs: 3_600_000, renewWithinMs: 30_000, now: () => now })
  const expiresAtMs = now

  expect(outage.graceMs(expiresAtMs)).toBeLessThanOrEqual(0)
  outage.began()
  expect(outage.graceMs(expiresAtMs)).toBe(3_600_000)
  now += 3_000_000
  expect(outage.graceMs(expiresAtMs)).toBe(600_000)
  outage.ended()
  expect(outage.graceMs(expiresAtMs)).toBe(30_000)
  now += 30_000
  expect(outage.graceMs(expiresAtMs)).toBe(0)
  outage.began()
  now += 570_000
  expect(outage.graceMs(expiresAtMs)).toBe(0)
})

test('a limit of zero is no grace at all', () => {
  const outage = new Outage({ limitMs: 0, now: () => 5 })
  outage.began()

  expect(outage.graceMs(5)).toBe(0)
})

test('a session outlives its token while the control plane is away, and is ended when it does not renew after', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane, { renewWithinMs: 50 })
  const { agent } = await tunnelInGrace(world, plane)

  expect(await world.exchange(get)).toContain('served')

  plane.mood = 'well'
  expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})

test('a session that renews once the control plane is back goes on as before', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane)
  const { agent } = await tunnelInGrace(world, plane)
  plane.mood = 'well'
  await until(world, 'control_plane_away', 0)

  agent.session.renewToken(await world.agentToken())
  await until(world, 'sessions_in_grace', 0)

  expect(await world.exchange(get)).toContain('served')
})

test('a control plane that answers, if only to refuse the relay, gives no grace', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane)
  plane.mood = 'SLUICE_RELAY_KEY_INVALID'
  await plane.until(() => plane.asked.length > 5)
  const { agent } = await shortTunnel(world, 1)

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})

test('no outage excuses a token whose authtoken has ended with it', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane)
  plane.mood = 'away'
  await until(world, 'control_plane_away', 1)
  const { agent } = await shortTunnel(world, 1, { final: true })

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})

test('grace has an end', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane, { outageMs: 300 })
  plane.mood = 'away'
  await until(world, 'control_plane_away', 1)
  const {
    agent,
    token: { exp },
  } = await shortTunnel(world, 1)

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 + 300)
})

test('a revocation ends a session in grace at once, and it does not come back', async () => {
  const redis = new Redis(inject('redisUrl'))
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane, { redisUrl: inject('redisUrl') })
  const tunnelId = crypto.randomUUID()
  const { agent, token } = await tunnelInGrace(world, plane, { tunnelId })
  const heard = async (): Promise<boolean> =>
    Number((await redis.pubsub('NUMSUB', redisChannels.revocations))[1]) > 0
  while (!(await heard())) await new Promise((resolve) => setImmediate(resolve))

  const revocation = { kind: 'tunnel', id: tunnelId, at: new Date().toISOString() }
  await redis.publish(redisChannels.revocations, JSON.stringify(revocation))

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  const again = await world.dial(1, await world.agentToken(token))
  expect((await again.refused).code).toMatch(/REVOKED|INVALID/)
  redis.disconnect()
})

test('a session whose link broke in an outage is taken back with the token it had', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane)
  const { agent, upstream, token } = await tunnelInGrace(world, plane)
  agent.socket.destroy()
  await agent.closed
  await until(world, 'sessions', 0)

  const again = await world.tunnel(upstream, token)

  expect(await again.welcome).toMatchObject({ expiresInMs: 0 })
  expect(await world.exchange(get)).toContain('served')
})

test('an expired token that is not the one of the session is refused in an outage too', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane)
  const { token } = await tunnelInGrace(world, plane)
  const strangers = [
    { ...token, jti: 'an-older-one' },
    { ...token, tunnelId: 'never-seen-here' },
  ]

  for (const claims of strangers) {
    const agent = await world.dial(1, await world.agentToken(claims))
    expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
  }
  expect(await world.exchange(get)).toContain('served')
})

test('an agent that said goodbye does not come back with an expired token', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane)
  const { agent, token } = await tunnelInGrace(world, plane)
  agent.session.goAway({ reason: 'the agent is closing', graceMs: 0 })
  agent.session.close()
  await until(world, 'sessions', 0)

  const again = await world.dial(1, await world.agentToken(token))

  expect(await again.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})

test('outside an outage an expired token takes nothing back', async () => {
  await using plane = await new ControlPlane().listen()
  await using world = await worldWith(plane, { renewWithinMs: 1 })
  const { agent, token } = await tunnelInGrace(world, plane)
  agent.socket.destroy()
  await until(world, 'sessions', 0)
  plane.mood = 'well'
  await until(world, 'control_plane_away', 0)

  const again = await world.dial(1, await world.agentToken(token))

  expect(await again.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})
