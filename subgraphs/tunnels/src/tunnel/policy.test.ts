import { randomBytes } from 'node:crypto'

import { Sealer } from '@sluice/kit/sealer'
import { memberOf } from '@sluice/kit/testing'
import { redisChannels } from '@sluice/schema/redis'
import { expect, test } from 'vitest'

import { codeOf, openWorld } from '../testing/world.ts'
import { webhookSecretsOf } from './policy-secret.ts'
import { parsePolicy, type StoredPolicy, type TunnelPolicyInput } from './policy.ts'
import { renewAgentToken, startTunnel } from './start-tunnel.ts'
import { updateTunnel } from './tunnel.ts'

const sealer = new Sealer([{ id: 'test', key: randomBytes(32) }])
const secrets = webhookSecretsOf(sealer, 'tunnel-1')
const parse = async (input: TunnelPolicyInput, stored: StoredPolicy = {}) =>
  (await parsePolicy(input))('http', stored, secrets)

const whole = {
  basicAuth: [{ user: 'ada', password: 'hunter2' }],
  requestRate: { perSecond: 2.5 },
  bandwidthBytesPerSecond: 100_000,
  requestHeaders: { add: [{ name: 'X-Env', value: ' staging ' }], remove: ['Cookie'] },
  responseHeaders: { remove: ['Server'] },
  compression: true,
  webhook: { provider: 'stripe', secret: 'whsec_1' },
} satisfies TunnelPolicyInput

test('a policy is stored as the edge reads it, and nothing that was not asked for', async () => {
  expect(await parse(whole)).toMatchObject({
    basicAuth: [{ user: 'ada', verifier: expect.stringMatching(/^scrypt:14:/) as unknown }],
    requestRate: { perSecond: 2.5, burst: 3 },
    bandwidthBytesPerSecond: 100_000,
    requestHeaders: { add: [['X-Env', 'staging']], remove: ['Cookie'] },
    responseHeaders: { remove: ['Server'] },
    compression: true,
    webhook: { provider: 'stripe', sealingKeyId: 'test', sealed: expect.any(String) as unknown },
  })
  expect(await parse({ compression: false, allowIps: [], requestHeaders: {} })).toEqual({})
})

test('secrets that are left out stay what they were; what is named no more is gone', async () => {
  const stored = await parse(whole)

  const kept = await parse(
    { basicAuth: [{ user: 'ada' }], webhook: { provider: 'stripe' } },
    stored,
  )

  expect(kept).toEqual({ basicAuth: stored.basicAuth, webhook: stored.webhook })
  await expect(parse({ basicAuth: [{ user: 'eve' }] }, stored)).rejects.toMatchObject({
    details: { reason: expect.stringContaining('needs a password') as unknown },
  })
  await expect(parse({ webhook: { provider: 'github' } }, stored)).rejects.toMatchObject({
    details: { reason: expect.stringContaining('github needs its secret') as unknown },
  })
})

/** An authority, and what it has revoked so far: nothing. Both are valid for a hundred years. */
const authority = `-----BEGIN CERTIFICATE-----
MIIBhDCCASmgAwIBAgIUbRGwEEKBqY1RYHDdYOpN8QUITdcwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLTXkgdmlzaXRvcnMwIBcNMjYxMTIxMjE0ODUxWhgPMjEyNjEw
MjgyMTQ4NTFaMBYxFDASBgNVBAMMC015IHZpc2l0b3JzMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAErGiryinLD9J3+zV1xxhDKhDw+a+QuF3kQp3KBUx7iNllr0yy
EFTW1FGAIP6V7zQ1DQlLWPCOkmNiFt9UwfYQ3KNTMFEwHQYDVR0OBBYEFC+wYCWN
cdxU9NVPcfRsHoR3ycVDMB8GA1UdIwQYMBaAFC+wYCWNcdxU9NVPcfRsHoR3ycVD
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAOJTKox9fvSz0NLC
KmN3G+Y/SxdX/rX6dc/dfwMui77RAiEA6YgulvEjd2BCBL5knBMUZNlNIEKzV6jB
zcsSfoKwGgs=
-----END CERTIFICATE-----`
const revocationList = `-----BEGIN X509 CRL-----
MIGuMFcCAQEwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLTXkgdmlzaXRvcnMXDTI2
MTEyMTIxNDg1MVoYDzIxMjYxMDI4MjE0ODUxWqAOMAwwCgYDVR0UBAMCAQEwCgYI
KoZIzj0EAwIDRwAwRAIgG48Se5jW8D5igXD1tz/YBz7toxrbHrYVibIZxG8E5DMC
ICKCLdNsJsqozs101H1xw4oGD+98gYuD6IEhfVEEeJUj
-----END X509 CRL-----`

test('an authority may have its revocation lists beside it', async () => {
  const visitorCa = `# ours\n${revocationList}\n\n${authority}\n`

  expect(await parse({ visitorCa })).toEqual({ visitorCa: `${revocationList}\n${authority}` })
})

test.for<[TunnelPolicyInput, string]>([
  [{ requestRate: { perSecond: 0 } }, 'perSecond must be above 0'],
  [{ requestRate: { perSecond: 1, burst: 0 } }, 'burst must be 1'],
  [{ bandwidthBytesPerSecond: 10 }, 'at least 8192'],
  [{ requestHeaders: { add: [{ name: 'Host', value: 'x' }] } }, 'the edge itself sets Host'],
  [{ requestHeaders: { remove: ['x_forwarded_for'] } }, 'the edge itself sets'],
  [{ responseHeaders: { add: [{ name: 'sluice-error', value: 'x' }] } }, 'the edge itself'],
  [{ responseHeaders: { remove: ['Transfer-Encoding'] } }, 'the edge itself'],
  [{ requestHeaders: { add: [{ name: 'X A', value: 'x' }] } }, 'not the name of a header'],
  [{ requestHeaders: { add: [{ name: 'X-A', value: 'a\r\nb: c' }] } }, 'control character'],
  [{ requestHeaders: { add: [{ name: 'X-A', value: 'a\0' }] } }, 'control character'],
  [
    {
      requestHeaders: {
        add: Array.from({ length: 5 }, (_, i) => ({ name: `X-${i}`, value: 'v'.repeat(4000) })),
      },
    },
    'bytes in all',
  ],
  [{ webhook: { provider: 'slack', secret: '' } }, 'a secret has 1 to'],
  [{ visitorCa: 'nonsense' }, 'PEM certificates'],
  [{ visitorCa: revocationList }, 'PEM certificates'],
  [{ visitorCa: `${authority}\n${revocationList.replaceAll('M', 'N')}` }, 'revocation lists'],
])('the policy %j is refused and the message says why', async ([policy, reason]) => {
  await expect(parse(policy)).rejects.toMatchObject({
    code: 'SLUICE_INPUT_INVALID',
    details: { reason: expect.stringContaining(reason) as unknown },
  })
})

test.for(['tcp', 'udp', 'tls'] as const)(
  'what only HTTP can have is refused for %s, rather than stored without effect',
  async (kind) => {
    const limits = {
      allowIps: ['10.0.0.0/8'],
      requestRate: { perSecond: 1 },
      bandwidthBytesPerSecond: 10_000,
    }
    const { requestHeaders, responseHeaders, compression, webhook, basicAuth } = whole

    expect((await parsePolicy(limits))(kind, {}, secrets)).toMatchObject({
      allowIps: ['10.0.0.0/8'],
    })
    for (const policy of [
      { basicAuth },
      { requestHeaders },
      { responseHeaders },
      { compression },
      { webhook },
    ]) {
      const prepared = await parsePolicy(policy)
      expect(() => prepared(kind, {}, secrets)).toThrow('is for tunnels of HTTP')
    }
  },
)

test('a change is told to relays after its commit, and the next agent token carries it', async () => {
  await using world = await openWorld()
  await world.relay()
  const { tunnel, grant } = await startTunnel(world.acme.as(), {})
  const told = Promise.withResolvers<string>()
  await world.parts.hub.subscribe(redisChannels.tunnelChanges, told.resolve)

  await updateTunnel(world.acme.as(), tunnel.id, {
    policy: { ...whole, denyIps: ['192.0.2.1'] },
    hostHeader: 'localhost:3000',
  })

  expect(JSON.parse(await told.promise)).toEqual({ tunnelId: tunnel.id })
  const renewed = await renewAgentToken(world.acme.as(), tunnel.id, grant.epoch)
  const payload = Buffer.from(renewed.agentToken.split('.')[1] ?? '', 'base64url').toString()
  expect(JSON.parse(payload)).toMatchObject({
    bandwidthBytesPerSecond: 100_000,
    policy: { denyIps: ['192.0.2.1'], requestRate: { perSecond: 2.5, burst: 3 } },
  })
  expect(JSON.parse(payload).policy).not.toHaveProperty('bandwidthBytesPerSecond')
  expect(renewed.hostHeader).toBe('localhost:3000')
})

test('a viewer sees the policy without the values of headers, and nobody sees a secret', async () => {
  await using world = await openWorld()
  await world.relay()
  const { tunnel } = await startTunnel(world.acme.as(), { policy: whole })
  const document = `query ($id: ID!) { tunnel(id: $id) { policy {
    basicAuthUsers webhookProvider compression bandwidthBytesPerSecond
    requestRate { perSecond burst }
    requestHeaders { add { name value } remove }
    responseHeaders { add { name } remove }
  } } }`
  const seenBy = async (role: 'DEVELOPER' | 'VIEWER') =>
    JSON.stringify(await world.ask(memberOf(world.acme.id, role), document, { id: tunnel.id }))

  const developer = await seenBy('DEVELOPER')
  const viewer = await seenBy('VIEWER')

  expect(developer).toContain('"webhookProvider":"STRIPE"')
  expect(developer).toContain('{"name":"X-Env","value":"staging"}')
  expect(viewer).toContain('{"name":"X-Env","value":null}')
  for (const seen of [developer, viewer]) {
    expect(seen).not.toContain('whsec_1')
    expect(seen).not.toContain('scrypt')
  }
})

test('staff has browsers asked before they visit an organization, from the next agent token on', async () => {
  await using world = await openWorld()
  await world.relay()
  const { tunnel, grant } = await startTunnel(world.acme.as(), {})
  const foreign = await startTunnel(world.globex.as(), {})
  const told: string[] = []
  const first = Promise.withResolvers<void>()
  await world.parts.hub.subscribe(redisChannels.tunnelChanges, (message) => {
    told.push(message)
    first.resolve()
  })
  const document = `mutation ($id: ID!, $isOn: Boolean!) {
    setVisitNotice(organizationId: $id, isOn: $isOn)
  }`
  const set = (isAdmin: boolean, isOn: boolean) =>
    world.ask({ ...world.acme.member, isAdmin }, document, { id: world.acme.id, isOn })
  const policyOf = async () => {
    const { agentToken } = await renewAgentToken(world.acme.as(), tunnel.id, grant.epoch)
    const payload = Buffer.from(agentToken.split('.')[1] ?? '', 'base64url').toString()
    return JSON.parse(payload).policy
  }

  expect(codeOf(await set(false, true))).toBe('SLUICE_FORBIDDEN')
  expect(await policyOf()).toEqual({})
  await set(true, true)
  await first.promise

  expect(await policyOf()).toEqual({ interstitial: true })
  expect(told).toEqual([JSON.stringify({ tunnelId: tunnel.id })])
  expect(told.join()).not.toContain(foreign.tunnel.id)
  await set(true, false)
  expect(await policyOf()).toEqual({})
})
