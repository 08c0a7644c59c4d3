import { authtokenOf } from '@sluice/kit/testing'
import { AgentTokenClaims, agentTokenAudience, agentTokenType } from '@sluice/schema/claims'
import { freeEntitlements } from '@sluice/schema/events'
import { redisChannels, type Revocation } from '@sluice/schema/redis'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test, vi } from 'vitest'

import { AttachedDomain } from '../domain/attached-domain.entity.ts'
import { Organization } from '../organization/organization.entity.ts'
import { heartbeatRelay } from '../relay/relay.ts'
import { openWorld, relayPrincipal, type World, waitMs } from '../testing/world.ts'
import { createTunnel } from './create-tunnel.ts'
import { renewAgentToken, startTunnel } from './start-tunnel.ts'
import { Tunnel } from './tunnel.entity.ts'
import { deleteTunnel, stopTunnel, updateTunnel } from './tunnel.ts'

async function claimsOf({ parts }: World, agentToken: string): Promise<AgentTokenClaims> {
  const keySet = createLocalJWKSet(parts.keys.publicJwks)
  const options = { audience: agentTokenAudience, typ: agentTokenType, issuer: 'sluice' }
  return AgentTokenClaims.parse((await jwtVerify(agentToken, keySet, options)).payload)
}

test('an authtoken starts a tunnel by name with nothing else', async () => {
  await using world = await openWorld()
  await world.relay()
  const authtoken = authtokenOf(world.acme.id)

  const started = await startTunnel(world.context(authtoken), { name: 'app' })

  const claims = await claimsOf(world, started.grant.agentToken)
  expect(claims).toMatchObject({
    sub: authtoken.id,
    organizationId: world.acme.id,
    tunnelId: started.tunnel.id,
    endpointHosts: ['app.tunnel.localhost'],
    region: 'local',
    epoch: 1,
    policy: {},
    maxConcurrentConns: 20,
  })
  expect(claims.exp * 1000).toBe(started.grant.expiresAt.getTime())
})

test('an agent token ends no later than the authtoken it was issued for, and says so', async () => {
  await using world = await openWorld()
  await world.relay()
  const now = Date.now()
  // Stands: what is left is half a second more than a minute, however long a start takes.
  world.clock.now = () => new Date(now)
  const startAs = async (leftMs: number) => {
    const expiresAt = new Date(now + leftMs).toISOString()
    // Of a service account: nobody is behind it.
    const authtoken = { ...authtokenOf(world.acme.id), userId: null, expiresAt }
    const { grant } = await startTunnel(world.context(authtoken), { name: 'app' })
    return { ...(await claimsOf(world, grant.agentToken)), at: grant.expiresAt.getTime() }
  }

  const soon = await startAs(60_500)
  const later = await startAs(86_400_000)

  expect(soon).toMatchObject({ final: true, exp: soon.iat + 60 })
  expect(soon.at).toBeLessThanOrEqual(now + 60_500)
  expect(later.final).toBeUndefined()
  expect(later.exp).toBe(later.iat + 300)
})

test('the same name is the same tunnel, and each start is a newer epoch', async () => {
  await using world = await openWorld()
  await world.relay()

  const starts = await Promise.all(
    Array.from({ length: 4 }, () => startTunnel(world.acme.as(), { name: 'app' })),
  )

  expect(new Set(starts.map(({ tunnel }) => tunnel.id)).size).toBe(1)
  expect(new Set(starts.map(({ grant }) => grant.epoch))).toEqual(new Set([1, 2, 3, 4]))
})

test('a name of another organization is refused, never replaced by a random one', async () => {
  await using world = await openWorld()
  await world.relay()
  await startTunnel(world.acme.as(), { name: 'app' })

  await expect(startTunnel(world.globex.as(), { name: 'app' })).rejects.toMatchObject({
    code: 'SLUICE_ENDPOINT_HOST_TAKEN',
  })
})

test('the agent token names the verifier and never the password', async () => {
  await using world = await openWorld()
  await world.relay()
  const policy = {
    basicAuth: [{ user: 'ada', password: 'hunter2' }],
    allowIps: ['10.0.0.0/8', '2001:DB8::/32'],
  }

  const { tunnel, grant } = await startTunnel(world.acme.as(), { policy })

  const claims = await claimsOf(world, grant.agentToken)
  expect(claims.policy.allowIps).toEqual(['10.0.0.0/8', '2001:db8::/32'])
  expect(claims.policy.basicAuth?.[0]?.verifier).toMatch(/^scrypt:14:[0-9a-f]{32}:[0-9a-f]{64}$/)
  const stored = await world.em().findOneOrFail(Tunnel, { id: tunnel.id })
  expect(JSON.stringify(stored.policy)).not.toContain('hunter2')
})

test('a policy stays until another one replaces it', async () => {
  await using world = await openWorld()
  await world.relay()
  await startTunnel(world.acme.as(), { name: 'app', policy: { denyIps: ['192.0.2.1'] } })

  const again = await startTunnel(world.acme.as(), { name: 'app', hostHeader: 'localhost:3000' })
  const cleared = await updateTunnel(world.acme.as(), again.tunnel.id, {
    policy: {},
    hostHeader: null,
  })

  expect(again.tunnel).toMatchObject({
    policy: { denyIps: ['192.0.2.1'] },
    hostHeader: 'localhost:3000',
  })
  expect(cleared).toMatchObject({ policy: {}, hostHeader: null })
})

test.for([
  [{ allowIps: ['10.0.0.0/33'] }, 'from 0 to 32'],
  [{ denyIps: ['example.com'] }, '"example.com" is neither'],
  [{ denyIps: ['fe80::1%eth0'] }, 'is neither'],
  [{ basicAuth: [{ user: 'a:b', password: 'x' }] }, 'no colon'],
  [{ basicAuth: [{ user: 'a', password: '' }] }, 'the password of "a"'],
  [
    {
      basicAuth: [
        { user: 'a', password: 'x' },
        { user: 'a', password: 'y' },
      ],
    },
    'twice',
  ],
] as const)('the policy %j is refused and the message says why', async ([policy, reason]) => {
  await using world = await openWorld()
  await world.relay()

  await expect(startTunnel(world.acme.as(), { policy })).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
    details: { reason: expect.stringContaining(reason) as unknown },
  })
})

test('custom domains of the tunnel are among its hosts, those of others are not', async () => {
  await using world = await openWorld()
  await world.relay()
  const tunnel = await createTunnel(world.acme.as(), world.acme.id, {})
  const attach = (organizationId: string, domain: string) =>
    world.em().insert(AttachedDomain, {
      domainId: crypto.randomUUID(),
      organizationId,
      domain,
      tunnelId: tunnel.id,
    })
  await attach(world.acme.id, 'www.acme.test')
  await attach(world.globex.id, 'www.globex.test')

  const { grant } = await startTunnel(world.acme.as(), { tunnelId: tunnel.id })

  const { endpointHosts } = await claimsOf(world, grant.agentToken)
  expect(endpointHosts).toEqual([tunnel.endpointHost, 'www.acme.test'])
})

test('a larger plan serves more connections from the next agent token on', async () => {
  await using world = await openWorld()
  await world.relay()
  const { id: organizationId } = world.acme
  const { tunnel } = await startTunnel(world.acme.as(), { name: 'app' })
  const entitlements = { ...freeEntitlements, maxConcurrentConnections: 500 }
  await world.em().upsert(Organization, { organizationId, planId: 'pro', entitlements })

  const renewed = await renewAgentToken(world.acme.as(), tunnel.id, 1)

  expect((await claimsOf(world, renewed.agentToken)).maxConcurrentConns).toBe(500)
})

test('an agent token is renewed for its own start only', async () => {
  await using world = await openWorld()
  await world.relay()
  const as = () => world.context(authtokenOf(world.acme.id))
  const first = await startTunnel(as(), { name: 'app' })
  const { id } = first.tunnel

  const renewed = await renewAgentToken(as(), id, 1)
  await startTunnel(as(), { name: 'app' })

  expect((await claimsOf(world, renewed.agentToken)).epoch).toBe(1)
  await expect(renewAgentToken(as(), id, 1)).rejects.toMatchObject({
    code: 'SLUICE_SESSION_REPLACED',
  })
  await stopTunnel(as(), id)
  await expect(renewAgentToken(as(), id, 2)).rejects.toMatchObject({
    code: 'SLUICE_SESSION_REVOKED',
  })
  await deleteTunnel(as(), id)
  await expect(renewAgentToken(as(), id, 2)).rejects.toMatchObject({
    code: 'SLUICE_SESSION_REVOKED',
  })
  await expect(renewAgentToken(world.globex.as(), id, 2)).rejects.toMatchObject({
    code: 'SLUICE_TUNNEL_NOT_FOUND',
  })
})

test('stopping tells relays, and an agent token made after it is newer than the stop', async () => {
  await using world = await openWorld()
  await world.relay()
  const revocations: Revocation[] = []
  await world.parts.hub.subscribe(redisChannels.revocations, (text) => {
    revocations.push(JSON.parse(text) as Revocation)
  })
  const { tunnel } = await startTunnel(world.acme.as(), { name: 'app' })

  await stopTunnel(world.acme.as(), tunnel.id)
  await stopTunnel(world.acme.as(), tunnel.id)
  const { grant } = await startTunnel(world.acme.as(), { name: 'app' })

  await vi.waitFor(() => expect(revocations).toHaveLength(1), waitMs)
  const { iat } = await claimsOf(world, grant.agentToken)
  expect(iat * 1000).toBeGreaterThanOrEqual(Date.parse(revocations[0]?.at ?? ''))
})

test('an agent is sent to the least loaded relay of the region', async () => {
  await using world = await openWorld()
  await world.relay('busy', 'eu')
  await world.relay('free', 'eu')
  await world.relay('far', 'us')
  await heartbeatRelay(world.context(relayPrincipal), {
    id: 'busy',
    draining: false,
    connections: 900,
    sessions: [],
  })

  const started = await startTunnel(world.acme.as(), { region: 'eu' })

  expect(started.relays.map(({ id }) => id)).toEqual(['free', 'busy'])
})

test('no agent is sent to a relay that is draining or silent', async () => {
  await using world = await openWorld()
  await world.relay('draining')
  await heartbeatRelay(world.context(relayPrincipal), {
    id: 'draining',
    draining: true,
    connections: 0,
    sessions: [],
  })
  await expect(startTunnel(world.acme.as(), {})).rejects.toMatchObject({
    code: 'SLUICE_RELAY_UNAVAILABLE',
  })
  await world.relay('silent')
  world.clock.now = () => new Date(Date.now() + 16_000)

  await expect(startTunnel(world.acme.as(), {})).rejects.toMatchObject({
    code: 'SLUICE_RELAY_UNAVAILABLE',
  })
})

test('an unknown region is refused with those there are', async () => {
  await using world = await openWorld()
  await world.relay('one', 'eu')

  await expect(startTunnel(world.acme.as(), { region: 'mars' })).rejects.toMatchObject({
    code: 'SLUICE_REGION_UNKNOWN',
    details: { region: 'mars', regions: 'eu' },
  })
})

test('an authtoken without the scope starts nothing', async () => {
  await using world = await openWorld()
  await world.relay()
  const reader = authtokenOf(world.acme.id, ['TUNNELS_READ', 'REQUESTS_READ'])

  await expect(startTunnel(world.context(reader), {})).rejects.toMatchObject({
    code: 'SLUICE_FORBIDDEN',
  })
})

test('agents that pool join one start; one that does not takes over from all', async () => {
  await using world = await openWorld()
  await world.relay()
  const start = (pooling?: boolean) =>
    startTunnel(world.acme.as(), { name: 'app', ...(pooling === undefined ? {} : { pooling }) })

  const first = await start(true)
  const second = await start(true)
  const taker = await start()
  const third = await start(true)

  expect([first, second, taker, third].map(({ grant }) => grant.epoch)).toEqual([1, 1, 2, 3])
  expect(await claimsOf(world, second.grant.agentToken)).toMatchObject({ pooling: true, epoch: 1 })
  expect(await claimsOf(world, taker.grant.agentToken)).not.toHaveProperty('pooling')
  const { id } = first.tunnel
  await expect(renewAgentToken(world.acme.as(), id, 1)).rejects.toMatchObject({
    code: 'SLUICE_SESSION_REPLACED',
  })
})

test('a renewal names the relays to go to, and none while none is ready', async () => {
  await using world = await openWorld()
  await world.relay('relay-1', 'eu')
  await world.relay('relay-2', 'us')
  const { tunnel, grant } = await startTunnel(world.acme.as(), { name: 'app', region: 'eu' })
  const renew = () => renewAgentToken(world.acme.as(), tunnel.id, grant.epoch)

  const ready = await renew()
  world.clock.now = () => new Date(Date.now() + 60_000)
  const lost = await renew()

  expect(grant.relays.map(({ id }) => id)).toEqual(['relay-1'])
  expect(ready.relays.map(({ id }) => id)).toEqual(['relay-1'])
  expect(lost.relays).toEqual([])
})
