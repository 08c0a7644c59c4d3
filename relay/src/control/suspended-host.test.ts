import { unusedPort } from '@sluice/kit/unused-port'
import { authenticationCachedMs } from '@sluice/schema/claims'
import { redisChannels, type Revocation } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'

import { ControlPlane } from '../testing/control-plane.ts'
import { apex, createWorld, host } from '../testing/world.ts'

const get = (name = host) => `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`
const reason = 'Phishing.'
/** On a busy machine, too: nothing but being told brings it about. */
const toldMsMax = 10_000

async function tell(redis: Redis, revocation: Revocation): Promise<void> {
  const heard = async () => Number((await redis.pubsub('NUMSUB', redisChannels.revocations))[1]) > 0
  while (!(await heard())) await new Promise((resolve) => setImmediate(resolve))
  await redis.publish(redisChannels.revocations, JSON.stringify(revocation))
}

test('a suspended host ends its streams and its session, and visitors see that it is suspended', async () => {
  const redis = new Redis(inject('redisUrl'))
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const name = `${crypto.randomUUID()}.${apex}`
  const held = Promise.withResolvers<void>()
  const upstream = await world.upstream((_request, response) => {
    response.write('beginning')
    held.resolve()
  })
  const agent = await world.tunnel(upstream, { tunnelId: name, endpointHosts: [name] })
  const kept = await world.upstream((_request, response) => response.end('kept'))
  const other = { tunnelId: crypto.randomUUID(), endpointHosts: [`x${name}`] }
  await world.tunnel(kept, other)
  const open = world.exchange(get(name))
  await held.promise
  const startedAt = performance.now()

  const at = new Date().toISOString()
  await tell(redis, { kind: 'host', id: name, at, reason })

  expect(await agent.refused).toMatchObject({
    code: 'SLUICE_TUNNEL_SUSPENDED',
    details: { endpointHost: name, reason },
  })
  await open
  expect(performance.now() - startedAt).toBeLessThan(toldMsMax)
  const page = await world.exchange(get(name))
  expect(page).toMatch(/^HTTP\/1\.1 403 /)
  expect(page.toLowerCase()).toContain('sluice-error: sluice_host_suspended')
  expect(page).not.toContain(reason)
  expect(await world.exchange(get(`x${name}`))).toContain('kept')
  const again = await world.dial(1, await world.agentToken({ endpointHosts: [name] }))
  expect(await again.refused).toMatchObject({ code: 'SLUICE_TUNNEL_SUSPENDED' })

  await tell(redis, { kind: 'host', id: name, at: new Date().toISOString(), lifted: true })
  await expect
    .poll(() => world.exchange(get(name)), { timeout: 15_000 })
    .not.toContain('SLUICE_HOST_SUSPENDED')
  redis.disconnect()
})

test('a suspended port ends the session of its TCP tunnel', async () => {
  const redis = new Redis(inject('redisUrl'))
  const port = await unusedPort()
  const tcpPorts = { first: port, last: port }
  await using world = await createWorld({ redisUrl: inject('redisUrl'), tcpPorts })
  const agent = await world.tunnel(1, {
    tunnelId: crypto.randomUUID(),
    kind: 'tcp',
    endpointHosts: [],
    endpointPort: port,
  })

  await tell(redis, { kind: 'host', id: `tcp:${port}`, at: new Date().toISOString(), reason })

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_TUNNEL_SUSPENDED' })
  redis.disconnect()
})

test('a relay that could not hear of a suspension reads it from the control plane', async () => {
  await using plane = await new ControlPlane().listen()
  plane.suspendedHosts = [{ name: host, reason }]
  await using world = await createWorld({
    registration: {
      gatewayUrl: plane.url,
      relayKey: 'slrk_test',
      edgeUrl: 'ws://edge.tunnel.test/_sluice/session',
      publicHttpUrl: 'http://tunnel.test',
      heartbeatMs: 20,
      retryFirstMs: 20,
    },
  })
  await plane.until(() => plane.suspensionsAsked > 0)

  await expect
    .poll(() => world.exchange(get()), { timeout: 15_000 })
    .toContain('SLUICE_HOST_SUSPENDED')
  const agent = await world.dial(1, await world.agentToken())
  expect(await agent.refused).toMatchObject({
    code: 'SLUICE_TUNNEL_SUSPENDED',
    details: { reason },
  })
})

test('visitors of somebody who is suspended see that, on a relay that learnt of it by the list alone', async () => {
  await using plane = await new ControlPlane().listen()
  const served = `served-${crypto.randomUUID()}.${apex}`
  plane.closedHosts = [host, served]
  await using world = await createWorld({
    redisUrl: inject('redisUrl'),
    registration: {
      gatewayUrl: plane.url,
      relayKey: 'slrk_test',
      edgeUrl: 'ws://edge.tunnel.test/_sluice/session',
      publicHttpUrl: 'http://tunnel.test',
      heartbeatMs: 20,
      retryFirstMs: 20,
    },
  })
  await expect
    .poll(() => world.exchange(get()), { timeout: 15_000 })
    .toContain('SLUICE_HOST_SUSPENDED')

  const problem = await world.exchange(get())
  expect(problem).toMatch(/^HTTP\/1\.1 403 /)
  expect(problem.toLowerCase()).toContain('content-type: application/problem+json')
  const html = `GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`
  const page = await world.exchange(html)
  expect(page.toLowerCase()).toContain('content-type: text/html')
  expect(page).toContain(`${host} is suspended.`)
  const metrics = await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)
  expect(await metrics.text()).toMatch(
    /sluice_relay_policy_rejections_total\{code="SLUICE_HOST_SUSPENDED",reason="holder_suspended"[^}]*\} \d/,
  )
  // Somebody else of the organization serves it: then it is served.
  const upstream = await world.upstream((_request, response) => response.end('served'))
  await world.tunnel(upstream, { tunnelId: crypto.randomUUID(), endpointHosts: [served] })
  expect(await world.exchange(get(served))).toContain('served')

  const redis = new Redis(inject('redisUrl'))
  plane.closedHosts = []
  const heard = async () => Number((await redis.pubsub('NUMSUB', redisChannels.closedHosts))[1]) > 0
  await expect.poll(heard, { timeout: 15_000 }).toBe(true)
  await redis.publish(redisChannels.closedHosts, '')
  await expect
    .poll(() => world.exchange(get()), { timeout: 15_000 })
    .not.toContain('SLUICE_HOST_SUSPENDED')
  redis.disconnect()
})

test('a suspended organization loses its sessions, and only tokens of later open new ones', async () => {
  const redis = new Redis(inject('redisUrl'))
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const organizationId = crypto.randomUUID()
  const tunnelId = crypto.randomUUID()
  const claims = { organizationId, tunnelId, endpointHosts: [`${tunnelId}.${apex}`] }
  const agent = await world.tunnel(1, { ...claims, iat: Math.floor(Date.now() / 1000) - 5 })
  const startedAt = performance.now()

  await tell(redis, { kind: 'organization', id: organizationId, at: new Date().toISOString() })

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(performance.now() - startedAt).toBeLessThan(toldMsMax)
  const older = await world.agentToken({ ...claims, iat: Math.floor(Date.now() / 1000) - 5 })
  expect(await (await world.dial(1, older)).refused).toMatchObject({
    code: 'SLUICE_SESSION_REVOKED',
  })
  const iat = Math.floor((Date.now() + authenticationCachedMs) / 1000) + 2
  await world.tunnel(1, { ...claims, iat, exp: iat + 300 })
  redis.disconnect()
})
