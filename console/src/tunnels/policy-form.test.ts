import { expect, test } from 'vitest'

import { formOf, isOpenPolicy, policyInputOf } from './policy-form.ts'

const changes = (add: { name: string; value: string | null }[], remove: string[]) => ({
  add: add.map((one) => ({ ...one, __typename: 'AddedHeader' as const })),
  remove,
  __typename: 'HeaderChanges' as const,
})
const open = {
  __typename: 'TunnelPolicy' as const,
  basicAuthUsers: [],
  allowIps: [],
  denyIps: [],
  requestRate: null,
  bandwidthBytesPerSecond: null,
  requestHeaders: changes([], []),
  responseHeaders: changes([], []),
  compression: false,
  webhookProvider: null,
  visitorCa: null,
}
const full = {
  ...open,
  basicAuthUsers: ['ada'],
  allowIps: ['10.0.0.0/8', '2001:db8::/32'],
  requestRate: { perSecond: 2.5, burst: 5, __typename: 'RequestRate' as const },
  bandwidthBytesPerSecond: 1_500_000,
  requestHeaders: changes([{ name: 'X-Env', value: 'a: b' }], ['Cookie']),
  webhookProvider: 'STRIPE' as const,
}

test('a form that nobody touches asks for the policy that holds, without its secrets', () => {
  expect(policyInputOf(formOf({ policy: full, hostHeader: null }))).toEqual({
    basicAuth: [{ user: 'ada' }],
    allowIps: ['10.0.0.0/8', '2001:db8::/32'],
    denyIps: [],
    requestRate: { perSecond: 2.5, burst: 5 },
    bandwidthBytesPerSecond: 1_500_000,
    requestHeaders: { add: [{ name: 'X-Env', value: 'a: b' }], remove: ['Cookie'] },
    responseHeaders: { add: [], remove: [] },
    compression: false,
    webhook: { provider: 'STRIPE' },
    visitorCa: null,
  })
})

test('what is written is read line by line, and empty lines are nothing', () => {
  const form = {
    ...formOf({ policy: open, hostHeader: null }),
    users: [
      { user: ' grace ', password: ' p ', isKnown: false },
      { user: '', password: '', isKnown: false },
    ],
    denyIps: '192.0.2.1, 192.0.2.2\n\n 192.0.2.3 ',
    perSecond: '0,5',
    kilobytesPerSecond: '250',
    addResponseHeaders: 'X-A: 1\nno colon\n',
    webhookProvider: 'github',
    webhookSecret: ' s3cret\n',
  }

  expect(policyInputOf(form)).toMatchObject({
    basicAuth: [{ user: 'grace', password: ' p ' }],
    denyIps: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    requestRate: { perSecond: 0.5 },
    bandwidthBytesPerSecond: 250_000,
    responseHeaders: {
      add: [
        { name: 'X-A', value: '1' },
        { name: 'no colon', value: '' },
      ],
    },
    webhook: { provider: 'GITHUB', secret: 's3cret' },
  })
})

test('a policy is open only when nothing is in it', () => {
  expect(isOpenPolicy(open)).toBe(true)
  expect(isOpenPolicy(full)).toBe(false)
  expect(isOpenPolicy({ ...open, compression: true })).toBe(false)
})
