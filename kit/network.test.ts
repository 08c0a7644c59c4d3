import { expect, test } from 'vitest'

import { addressOf, networkOf } from './network.ts'

test('a customer with a whole IPv6 network counts as one address', () => {
  expect(addressOf('2001:db8:1:2:aaaa::1')).toBe(addressOf('2001:db8:1:2::ffff'))
  expect(addressOf('2001:db8:1:2::1')).not.toBe(addressOf('2001:db8:1:3::1'))
  expect(addressOf('2001:db8::1')).toBe('2001:db8:0:0::/64')
  expect(addressOf('192.0.2.1')).toBe('192.0.2.1')
})

test('neighbours share a network, in whichever way their addresses are written', () => {
  expect(networkOf('192.0.2.1')).toBe('192.0.2.0/24')
  expect(networkOf('::ffff:192.0.2.200')).toBe('192.0.2.0/24')
  expect(networkOf('2001:DB8:1:2::1')).toBe('2001:db8:1::/48')
  expect(networkOf('2001:db8::7')).toBe('2001:db8:0::/48')
  expect(networkOf('::1')).toBe('0:0:0::/48')
})
