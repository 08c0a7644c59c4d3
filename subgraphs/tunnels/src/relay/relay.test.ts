import { memberOf } from '@sluice/kit/testing'
import { presenceSeconds, redisChannels, redisKeys, type Presence } from '@sluice/schema/redis'
import { expect, test, vi } from 'vitest'

import { codeOf, openWorld, relayPrincipal, type World, waitMs } from '../testing/world.ts'
import { startTunnel } from '../tunnel/start-tunnel.ts'
import { stopTunnel } from '../tunnel/tunnel.ts'
import { AgentSession } from './agent-session.entity.ts'
import { endLostSessions } from './end-lost-sessions.ts'
import { countOtherRelaysReady, drainRelay, heartbeatRelay, registerRelay } from './relay.ts'

const statusQuery = `query($id: ID!) { tunnel(id: $id) { status onlineSince connections } }`

async function serve(world: World) {
  await world.relay()
  const { tunnel } = await startTunnel(world.acme.as(), { name: 'app' })
  const since = new Date(Date.now() - 5_000)
  const session = { tunnelId: tunnel.id, sessionId: 'session-1', epoch: 1, since }
  const beat = (sessions = [session], draining = false) =>
    heartbeatRelay(world.context(relayPrincipal), {
      id: 'relay-1',
      draining,
      connections: 3,
      sessions,
    })
  const status = async () =>
    (await world.ask(world.acme.member, statusQuery, { id: tunnel.id })).data?.['tunnel']
  return { tunnel, since, beat, status }
}

test('only a relay key registers and heartbeats', async () => {
  await using world = await openWorld()
  const { acme } = world
  const staff = { ...acme.member, isAdmin: true }
  const relay = {
    id: 'rogue',
    region: 'eu',
    edgeUrl: 'wss://rogue.test/',
    publicHttpUrl: 'https://rogue.test',
    version: '1',
    capacity: 1,
  }

  const refused = { code: 'SLUICE_RELAY_KEY_INVALID' }
  await expect(registerRelay(world.context(staff), relay)).rejects.toMatchObject(refused)
  const beat = { id: 'rogue', draining: false, connections: 0, sessions: [] }
  await expect(heartbeatRelay(acme.as(), beat)).rejects.toMatchObject(refused)
})

test('a relay that is not known is refused, so that it registers again', async () => {
  await using world = await openWorld()
  const beat = { id: 'relay-9', draining: false, connections: 0, sessions: [] }

  await expect(heartbeatRelay(world.context(relayPrincipal), beat)).rejects.toMatchObject({
    details: { reason: 'no relay has registered this id.' },
  })
})

test('a relay with an address that cannot be dialled is refused', async () => {
  await using world = await openWorld()
  const relay = {
    id: 'relay-1',
    region: 'eu',
    edgeUrl: 'http://edge.test',
    publicHttpUrl: 'http://tunnel.test',
    version: '1',
    capacity: 1,
  }

  await expect(registerRelay(world.context(relayPrincipal), relay)).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
    details: { reason: expect.stringContaining('edgeUrl') as unknown },
  })
})

test('relays are shown to staff of the platform alone, regions to everybody signed in', async () => {
  await using world = await openWorld()
  await world.relay('relay-1', 'eu')
  const question = `{ relays { id status edgeUrl } regions { id name available } }`
  const regions = [{ id: 'eu', name: 'Europe', available: true }]

  const staff = await world.ask({ ...memberOf(world.acme.id), isAdmin: true }, question)
  const member = await world.ask(world.acme.member, question)

  expect(staff.data).toMatchObject({ relays: [{ id: 'relay-1', status: 'READY' }], regions })
  expect(member.data).toMatchObject({ relays: [], regions })
})

test('presence in Redis is the live state', async () => {
  await using world = await openWorld()
  const { tunnel, since, status } = await serve(world)
  const before = await status()
  const presence: Presence = {
    tunnelId: tunnel.id,
    organizationId: world.acme.id,
    relayId: 'relay-1',
    sessionId: 'session-1',
    epoch: 1,
    since: since.toISOString(),
    agentVersion: '0.1.0',
    connections: 7,
  }
  await world.redis.set(
    redisKeys.presence(tunnel.id),
    JSON.stringify(presence),
    'EX',
    presenceSeconds,
  )

  expect(before).toEqual({ status: 'OFFLINE', onlineSince: null, connections: 0 })
  expect(await status()).toEqual({
    status: 'ONLINE',
    onlineSince: since.toISOString(),
    connections: 7,
  })
})

test('while Redis is away, the sessions of the last heartbeat say who is online', async () => {
  await using world = await openWorld()
  const { beat, status, since } = await serve(world)
  await beat()
  world.redis.disconnect()

  const online = await status()
  world.clock.now = () => new Date(Date.now() + 31_000)
  const later = await status()

  expect(online).toEqual({
    status: 'ONLINE',
    onlineSince: since.toISOString(),
    connections: 0,
  })
  expect(later).toMatchObject({ status: 'OFFLINE' })
})

test('a session that the heartbeat no longer names has ended', async () => {
  await using world = await openWorld()
  const { beat } = await serve(world)
  await beat()

  await beat([])

  const session = await world.em().findOneOrFail(AgentSession, { id: 'session-1' })
  expect(session).toMatchObject({ organizationId: world.acme.id, epoch: 1, relayId: 'relay-1' })
  expect(session.endedAt).toBeInstanceOf(Date)
})

test('a relay that missed a stop is told again at its heartbeat', async () => {
  await using world = await openWorld()
  const { beat, tunnel } = await serve(world)
  await stopTunnel(world.acme.as(), tunnel.id)
  const told: string[] = []
  await world.parts.hub.subscribe(redisChannels.revocations, (text) => void told.push(text))
  world.clock.now = () => new Date(Date.now() + 5_000)

  await beat()

  await vi.waitFor(() => expect(told[0]).toContain(tunnel.id), waitMs)
})

test('the sessions of a killed relay are ended and told once', async () => {
  await using world = await openWorld()
  const { beat, tunnel } = await serve(world)
  await beat()
  const events = await world.follow(
    world.acme.member,
    `subscription($id: ID!) { tunnelStatus(organizationId: $id) { tunnelId status tunnel { name } } }`,
    { id: world.acme.id },
  )
  world.clock.now = () => new Date(Date.now() + 31_000)
  const run = () => endLostSessions.run({}, world.jobDeps, AbortSignal.timeout(5_000))

  await Promise.all([run(), run()])

  expect((await events.next()).value?.data).toEqual({
    tunnelStatus: { tunnelId: tunnel.id, status: 'OFFLINE', tunnel: { name: 'app' } },
  })
  expect(await world.em().count(AgentSession, { endedAt: null })).toBe(0)
})

test('a stranger does not follow the status of an organization', async () => {
  await using world = await openWorld()

  const document = `subscription($id: ID!) { tunnelStatus(organizationId: $id) { status } }`
  const asked = world.follow(world.globex.member, document, { id: world.acme.id })

  await expect(asked).rejects.toThrow('There is no such organization.')
})

test('the status of a tunnel of others cannot be asked for', async () => {
  await using world = await openWorld()
  const { tunnel } = await serve(world)

  const answer = await world.ask(world.globex.member, statusQuery, { id: tunnel.id })
  const stopped = await world.ask(
    world.globex.member,
    `mutation($id: ID!) { stopTunnel(id: $id) { id } }`,
    { id: tunnel.id },
  )

  expect(answer.data).toEqual({ tunnel: null })
  expect(codeOf(stopped)).toBe('SLUICE_TUNNEL_NOT_FOUND')
})

test('staff sends a relay away: no agent goes there, it hears so, and comes back by registering', async () => {
  await using world = await openWorld()
  const { beat } = await serve(world)
  await world.relay('relay-2')
  const staff = world.context({ ...memberOf(world.acme.id), isAdmin: true })
  const before = await beat()

  const drained = await drainRelay(staff, 'relay-1')
  const after = await beat()
  const started = await startTunnel(world.acme.as(), { name: 'app' })
  await world.relay('relay-1')

  expect(before).toEqual({ drain: false, replacedSessionIds: [] })
  expect(drained.drainRequestedAt).toBeInstanceOf(Date)
  expect(after).toMatchObject({ drain: true })
  expect(started.relays.map(({ id }) => id)).toEqual(['relay-2'])
  expect(await beat()).toMatchObject({ drain: false })
  await expect(drainRelay(world.acme.as(), 'relay-1')).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
  await expect(drainRelay(staff, 'relay-9')).rejects.toMatchObject({
    code: 'SLUICE_RELAY_NOT_FOUND',
  })
})

test('a relay that leaves hears whether another one takes its agents', async () => {
  await using world = await openWorld()
  const others = () => countOtherRelaysReady(world.context(relayPrincipal), 'relay-1')
  await world.relay('relay-1')
  expect(await others()).toBe(0)

  await world.relay('relay-2')
  expect(await others()).toBe(1)
  await drainRelay(world.context({ ...memberOf(world.acme.id), isAdmin: true }), 'relay-2')

  expect(await others()).toBe(0)
  await expect(countOtherRelaysReady(world.acme.as(), 'relay-1')).rejects.toMatchObject({
    code: 'SLUICE_RELAY_KEY_INVALID',
  })
})

test('a relay hears which of its sessions a newer start has replaced on another relay', async () => {
  await using world = await openWorld()
  const { beat, tunnel } = await serve(world)
  await world.relay('relay-2')
  await beat()
  const newer = { tunnelId: tunnel.id, sessionId: 'session-2', epoch: 2, since: new Date() }

  const other = await heartbeatRelay(world.context(relayPrincipal), {
    id: 'relay-2',
    draining: false,
    connections: 0,
    sessions: [newer],
  })

  expect(other.replacedSessionIds).toEqual([])
  expect((await beat()).replacedSessionIds).toEqual(['session-1'])
})

test('relays alone read what was stopped, since when they ask', async () => {
  await using world = await openWorld()
  const { tunnel } = await serve(world)
  const query = `query($since: DateTime!) { stoppedTunnels(since: $since) { id at } }`
  const since = (ms: number) => ({ since: new Date(Date.now() - ms).toISOString() })
  const stopped = await stopTunnel(world.acme.as(), tunnel.id)

  const known = await world.ask(relayPrincipal, query, since(60_000))
  const later = await world.ask(relayPrincipal, query, since(-60_000))
  const member = await world.ask(world.acme.member, query, since(60_000))

  expect(known.data).toEqual({
    stoppedTunnels: [{ id: tunnel.id, at: stopped.stoppedAt?.toISOString() }],
  })
  expect(later.data).toEqual({ stoppedTunnels: [] })
  expect(codeOf(member)).toBe('SLUICE_RELAY_KEY_INVALID')
})
