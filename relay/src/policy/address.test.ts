import { expect, test } from 'vitest'

import { allowsAddress, compilePolicy, type CompiledPolicy } from './policy.ts'

const policyOf = (policy: Parameters<typeof compilePolicy>[0]): CompiledPolicy => {
  const compiled = compilePolicy(policy)
  if (!compiled) throw new Error('the policy checks nothing')
  return compiled
}

test.for([
  ['itself', '192.0.2.7'],
  ['mapped into IPv6', '::ffff:192.0.2.7'],
  ['mapped, written in hexadecimal', '::ffff:c000:207'],
  ['behind NAT64', '64:ff9b::c000:207'],
  ['behind 6to4', '2002:c000:207::1'],
] as const)('a denied IPv4 address stays denied as %s', ([, address]) => {
  const byAddress = policyOf({ denyIps: ['192.0.2.7'] })
  const byBlock = policyOf({ denyIps: ['192.0.2.0/24'] })
  const byMapped = policyOf({ denyIps: ['::ffff:192.0.2.0/120'] })

  for (const policy of [byAddress, byBlock, byMapped]) {
    expect(allowsAddress(policy, address)).toBe(false)
  }
})

test.for([
  ['mapped into IPv6', '::ffff:192.0.2.7', true],
  ['a neighbour, mapped', '::ffff:198.51.100.7', false],
  ['an IPv6 address', '2001:db8::1', false],
  ['what is no address', 'unknown', false],
  ['nothing, as of a socket that has gone', '', false],
] as const)('of an allowed IPv4 block, %s: %s is let in: %s', ([, address, allowed]) => {
  expect(allowsAddress(policyOf({ allowIps: ['192.0.2.0/24'] }), address)).toBe(allowed)
})

test.for([
  ['a NAT64 prefix', '64:ff9b::c000:207'],
  ['a 6to4 prefix', '2002:c000:207::1'],
] as const)('%s around an allowed IPv4 address does not open an allow list', ([, address]) => {
  // Whoever sends from such a prefix chooses what it embeds.
  expect(allowsAddress(policyOf({ allowIps: ['192.0.2.0/24'] }), address)).toBe(false)
})

test('a deny wins over an allow, and an entry that cannot be read closes', () => {
  const both = policyOf({ allowIps: ['192.0.2.0/24'], denyIps: ['192.0.2.7'] })
  const unreadable = policyOf({ denyIps: ['192.0.2.0/99'] })
  const nobody = policyOf({ allowIps: ['not-an-address'] })

  expect(allowsAddress(both, '192.0.2.8')).toBe(true)
  expect(allowsAddress(both, '192.0.2.7')).toBe(false)
  expect(allowsAddress(unreadable, '198.51.100.1')).toBe(false)
  expect(allowsAddress(unreadable, '2001:db8::1')).toBe(false)
  expect(allowsAddress(nobody, '192.0.2.8')).toBe(false)
})

test('IPv6 blocks hold their addresses and nothing beside them', () => {
  const policy = policyOf({ allowIps: ['2001:db8::/32'] })

  expect(allowsAddress(policy, '2001:db8:ffff::1')).toBe(true)
  expect(allowsAddress(policy, '2001:db9::1')).toBe(false)
  expect(allowsAddress(policy, '32.1.13.184')).toBe(false)
})

test('each of many addresses gets its own verdict, the first time and later', () => {
  const policy = policyOf({ allowIps: ['192.0.2.0/24', '198.51.100.0/25'] })
  const addresses = ['192.0.2', '198.51.100', '203.0.113'].flatMap((block) =>
    Array.from({ length: 256 }, (_, last) => `${block}.${last}`),
  )
  const allowed = addresses.filter((address) => allowsAddress(policy, address))

  expect(allowed).toHaveLength(256 + 128)
  expect(allowed.filter((address) => !allowsAddress(policy, address))).toEqual([])
  expect(addresses.filter((address) => allowsAddress(policy, address))).toEqual(allowed)
})
