import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { needsWebhookSecret, policyExtras, type PolicyFlags } from './policy-flags.ts'
import { startTunnelInput } from './tunnel-input.ts'

test('flags become the policy of the graph, and absent ones set nothing', () => {
  const env = { UPSTREAM_AUTH: 'Bearer x', SLUICE_WEBHOOK_SECRET: ' whsec_1\n' }

  expect(policyExtras({}, env)).toEqual({})
  expect(
    policyExtras(
      {
        rateLimit: '30/m:5',
        bandwidth: '1.5mb',
        requestHeader: ['X-Env: a:b ', 'Authorization: env:UPSTREAM_AUTH'],
        removeResponseHeader: ['Server'],
        compress: true,
        verifyWebhook: 'stripe',
      },
      env,
    ),
  ).toEqual({
    requestRate: { perSecond: 0.5, burst: 5 },
    bandwidthBytesPerSecond: 1_500_000,
    requestHeaders: {
      add: [
        { name: 'X-Env', value: 'a:b' },
        { name: 'Authorization', value: 'Bearer x' },
      ],
      remove: [],
    },
    responseHeaders: { add: [], remove: ['Server'] },
    compression: true,
    webhook: { provider: 'STRIPE', secret: 'whsec_1' },
  })
})

test('authorities of visitors are read from their file, and nothing else is taken for them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-visitor-ca-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [path, other] = [join(folder, 'ca.pem'), join(folder, 'other.pem')]
  const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  writeFileSync(path, pem)
  writeFileSync(other, 'hello')

  expect(policyExtras({ visitorCa: path }, {})).toEqual({ visitorCa: pem })
  expect(() => policyExtras({ visitorCa: other }, {})).toThrow(/must hold PEM/)
  expect(() => policyExtras({ visitorCa: join(folder, 'none') }, {})).toThrow(/cannot be read/)
})

test.for([
  ['50/s', 50],
  ['0.5/s', 0.5],
  ['120/m', 2],
  ['3600/h', 1],
] as const)('the rate %s is %d per second', ([rateLimit, perSecond]) => {
  expect(policyExtras({ rateLimit }, {})).toEqual({ requestRate: { perSecond } })
})

test.for([
  ['10mb', 10_000_000],
  ['500KB', 500_000],
  ['1g', 1_000_000_000],
  ['64000', 64_000],
  ['2mb/s', 2_000_000],
] as const)('the bandwidth %s is %d bytes per second', ([bandwidth, bytes]) => {
  expect(policyExtras({ bandwidth }, {})).toEqual({ bandwidthBytesPerSecond: bytes })
})

test.for<[PolicyFlags, string]>([
  [{ rateLimit: 'fast' }, '--rate-limit takes'],
  [{ rateLimit: '0/s' }, '--rate-limit takes'],
  [{ bandwidth: 'ten' }, '--bandwidth takes'],
  [{ bandwidth: '0' }, '--bandwidth takes'],
  [{ requestHeader: ['no colon'] }, "--request-header takes 'Name: value'"],
  [{ requestHeader: ['Host: x'] }, 'the edge itself sets Host'],
  [{ removeResponseHeader: ['x y'] }, '--remove-response-header takes a name'],
  [{ requestHeader: ['X-A: env:NONE'] }, 'NONE is not set'],
  [{ verifyWebhook: 'nobody' }, 'takes one of stripe, github'],
  [{ verifyWebhook: 'stripe' }, 'into SLUICE_WEBHOOK_SECRET'],
  [{ verifyWebhook: 'stripe=whsec_1' }, 'PROVIDER=env:NAME'],
  [{ verifyWebhook: 'stripe=@/nowhere/secret' }, 'cannot be read'],
])('%j is refused with what would be right', ([flags, reason]) => {
  expect(() => policyExtras(flags, {})).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({
        reason: expect.stringContaining(reason) as unknown,
      }) as unknown,
    }),
  )
})

test('a secret in the command line is not repeated in what is said about it', () => {
  expect(() => policyExtras({ verifyWebhook: 'stripe=whsec_leak' }, {})).not.toThrow('whsec_leak')
})

test('a secret is asked for only where nothing says where it stands', () => {
  expect(needsWebhookSecret({ verifyWebhook: 'stripe' }, {})).toBe(true)
  expect(needsWebhookSecret({ verifyWebhook: 'stripe' }, { SLUICE_WEBHOOK_SECRET: 'x' })).toBe(
    false,
  )
  expect(needsWebhookSecret({ verifyWebhook: 'stripe=env:OTHER' }, {})).toBe(false)
  expect(needsWebhookSecret({}, {})).toBe(false)
})

test('one flag of the policy sends the whole policy, none leaves the stored one', () => {
  expect(startTunnelInput({ compress: true }, {}).policy).toEqual({
    basicAuth: [],
    allowIps: [],
    denyIps: [],
    compression: true,
  })
  expect(startTunnelInput({ name: 'app' }, {})).toEqual({ name: 'app' })
})
