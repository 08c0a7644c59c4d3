import {
  AgentTokenClaims,
  agentTokenAudience,
  agentTokenType,
  tokenIssuer,
} from '@sluice/schema/claims'
import { freeEntitlements } from '@sluice/schema/events'
import { redisKeys } from '@sluice/schema/redis'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'

import { Organization } from '../organization/organization.entity.ts'
import { openWorld, type World } from '../testing/world.ts'
import { createTunnel } from './create-tunnel.ts'
import { startTunnel } from './start-tunnel.ts'
import { urlsOf } from './tunnel-urls.ts'
import { deleteTunnel } from './tunnel.ts'

/** A world in which both organizations may have ports and many tunnels. */
async function openPortWorld() {
  const world = await openWorld()
  const entitlements = { ...freeEntitlements, maxTunnels: 20, portTunnels: true }
  for (const { id: organizationId } of [world.acme, world.globex]) {
    await world.em().insert(Organization, { organizationId, planId: 'pro', entitlements })
  }
  return world
}

async function claimsOf({ parts }: World, agentToken: string): Promise<AgentTokenClaims> {
  const keySet = createLocalJWKSet(parts.keys.publicJwks)
  const options = { audience: agentTokenAudience, typ: agentTokenType, issuer: tokenIssuer }
  return AgentTokenClaims.parse((await jwtVerify(agentToken, keySet, options)).payload)
}

test('a tunnel of TCP has a port of its own, and its agent token names it', async () => {
  await using world = await openPortWorld()
  await world.relay()

  const started = await startTunnel(world.acme.as(), { name: 'db', kind: 'tcp', port: 20_003 })
  const again = await startTunnel(world.acme.as(), { name: 'db', kind: 'tcp' })

  expect(await claimsOf(world, started.grant.agentToken)).toMatchObject({
    kind: 'tcp',
    endpointHosts: [],
    endpointPort: 20_003,
    tlsMode: 'terminate',
  })
  expect(again.tunnel).toMatchObject({ id: started.tunnel.id, port: 20_003 })
  expect(urlsOf(started.tunnel, started.relays, {})).toEqual(['tcp://localhost:20003'])
})

test('a tunnel of TLS passes through under its own name', async () => {
  await using world = await openWorld()
  await world.relay()

  const { tunnel, relays, grant } = await startTunnel(world.acme.as(), { name: 'db', kind: 'tls' })

  expect(await claimsOf(world, grant.agentToken)).toMatchObject({
    kind: 'tls',
    endpointHosts: ['db.tunnel.localhost'],
    tlsMode: 'passthrough',
  })
  expect(urlsOf(tunnel, relays, { https: 'https://tunnel.localhost:8443' })).toEqual([
    'tls://db.tunnel.localhost:8443',
  ])
})

test('however many ask at once, a port belongs to one tunnel, and when all are taken that is said', async () => {
  await using world = await openPortWorld()
  const { acme, globex } = world

  const asked = [acme, globex].flatMap((one) =>
    Array.from({ length: 4 }, () => createTunnel(one.as(), one.id, { kind: 'tcp' })),
  )
  const answers = await Promise.allSettled(asked)

  const made = answers.filter((answer) => answer.status === 'fulfilled')
  const ports = made.map(({ value }) => value.port).toSorted((a, b) => Number(a) - Number(b))
  expect(ports).toEqual([20_000, 20_001, 20_002, 20_003, 20_004, 20_005])
  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'SLUICE_PORTS_EXHAUSTED', details: { protocol: 'tcp', max: 6 } },
  })
  // UDP has ports of its own.
  expect(await createTunnel(acme.as(), acme.id, { kind: 'udp', port: 20_000 })).toMatchObject({
    port: 20_000,
  })
})

test('of two who want the same port one gets it, and a deleted tunnel frees it', async () => {
  await using world = await openPortWorld()
  const { acme, globex } = world
  const want = { kind: 'tcp', port: 20_001 } as const

  const asked = [acme, globex].map((one) => createTunnel(one.as(), one.id, want))
  const answers = await Promise.allSettled(asked)

  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'SLUICE_PORT_TAKEN', details: { port: 20_001 } },
  })
  const made = answers.find((answer) => answer.status === 'fulfilled')?.value
  const owner = made?.organizationId === acme.id ? acme : globex
  await deleteTunnel(owner.as(), made?.id ?? '')
  expect(await createTunnel(globex.as(), globex.id, want)).toMatchObject({ port: 20_001 })
})

test('ports are for plans that have them, unless the operator gives them to all', async () => {
  await using world = await openWorld()
  const { acme } = world
  const asked = createTunnel(acme.as(), acme.id, { kind: 'tcp' })
  await expect(asked).rejects.toMatchObject({
    code: 'SLUICE_TUNNEL_KIND_UNAVAILABLE',
    details: { kind: 'tcp' },
  })

  Object.assign(world.parts.tunnelPorts, { forAllPlans: true })

  expect((await createTunnel(acme.as(), acme.id, { kind: 'tcp' })).port).not.toBeNull()
})

test.for([
  [{ kind: 'tcp', port: 22 }, 'SLUICE_PORT_OUTSIDE'],
  [{ kind: 'udp', port: 20_005 }, 'SLUICE_PORT_OUTSIDE'],
  [{ kind: 'http', port: 20_000 }, 'SLUICE_INPUT_INVALID'],
] as const)('%j is refused with %s', async ([input, code]) => {
  await using world = await openPortWorld()

  await expect(createTunnel(world.acme.as(), world.acme.id, input)).rejects.toMatchObject({ code })
})

test('a tunnel keeps its kind and its port', async () => {
  await using world = await openPortWorld()
  await world.relay()
  await startTunnel(world.acme.as(), { name: 'db', kind: 'tcp', port: 20_000 })
  const start = (input: object) => startTunnel(world.acme.as(), { name: 'db', ...input })

  await expect(start({ kind: 'http' })).rejects.toMatchObject({
    code: 'SLUICE_TUNNEL_KIND_MISMATCH',
    details: { name: 'db', kind: 'tcp' },
  })
  await expect(start({ kind: 'tcp', port: 20_001 })).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
  })
})

test('what has a port is not looked for by name', async () => {
  await using world = await openPortWorld()
  const { acme, parts } = world

  await createTunnel(acme.as(), acme.id, { name: 'db', kind: 'tcp' })
  await createTunnel(acme.as(), acme.id, { name: 'site' })

  expect(await parts.redis.hkeys(redisKeys.endpointHosts)).toEqual(['site.tunnel.localhost'])
})
