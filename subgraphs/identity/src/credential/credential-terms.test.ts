import { expect, test } from 'vitest'

import { isAllowedFrom, parseTerms } from './credential-terms.ts'

const now = new Date('2026-11-21T12:00:00Z')

test('no list lets everybody in, a list whom it names, and what is no address nobody', () => {
  const list = ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']
  const asked = ['192.0.2.255', '::ffff:192.0.2.1', '2001:db8::1', '198.51.100.7']
  const refused = ['192.0.3.1', '2001:db9::1', '198.51.100.8', '', 'unknown', '192.0.2.1, 10.0.0.1']

  expect(asked.map((ip) => isAllowedFrom(list, ip))).not.toContain(false)
  expect(refused.map((ip) => isAllowedFrom(list, ip))).not.toContain(true)
  expect(isAllowedFrom([], 'unknown')).toBe(true)
})

test.each([
  '',
  '300.1.1.1',
  '192.0.2.0/33',
  '192.0.2.0/',
  '1.2.3.4/24/8',
  'fe80::1%eth0',
  'example.com',
  '10.0.0.0/-1',
])('an allow-list with “%s” in it is refused rather than understood otherwise', (entry) => {
  expect(() => parseTerms({ allowedIps: ['192.0.2.1', entry] }, now)).toThrow(
    'no address and no CIDR block',
  )
})

test('an end that is over, or a lifetime away, is refused', () => {
  expect(() => parseTerms({ expiresAt: now }, now)).toThrow('expiresAt')
  expect(() => parseTerms({ expiresAt: new Date('2056-01-01T00:00:00Z') }, now)).toThrow(
    'expiresAt',
  )
  expect(parseTerms({}, now)).toEqual({ expiresAt: null, allowedIps: [] })
})
