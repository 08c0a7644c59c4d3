import { expect, test } from 'vitest'

import { HandshakeLimit } from './handshake-limit.ts'

test('an address has as many handshakes under way as it may, and nothing is kept of it afterwards', () => {
  const limit = new HandshakeLimit(2)

  const begun = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'].map((one) => limit.begin(one))
  limit.end('192.0.2.1')

  expect(begun).toEqual([true, true, false, true])
  expect(limit.begin('192.0.2.1')).toBe(true)
  for (const one of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) limit.end(one)
  expect(limit.size).toBe(0)
})

test.for([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['::1', '::2', true],
  ['fe80::1', '2001::1', false],
] as const)('%s and %s share a limit: %s', ([one, other, together]) => {
  const limit = new HandshakeLimit(1)
  limit.begin(one)

  expect(limit.begin(other)).toBe(!together)
})
