import { expect, test } from 'vitest'

import { blocksOf, expiryOf, stateOf } from './terms.ts'

const now = Date.parse('2026-11-21T12:00:00Z')

test('a list of addresses is read as people write lists', () => {
  expect(blocksOf(' 192.0.2.0/24,\n2001:db8::/32 ; 10.0.0.1\n')).toEqual([
    '192.0.2.0/24',
    '2001:db8::/32',
    '10.0.0.1',
  ])
  expect(blocksOf(' \n')).toEqual([])
})

test('a week before its end a credential counts as ending', () => {
  const inDays = (days: string) => stateOf({ expiresAt: expiryOf(days, now), revokedAt: null }, now)

  expect(['', '8', '7', '0'].map(inDays)).toEqual(['good', 'good', 'ends-soon', 'expired'])
  expect(stateOf({ expiresAt: null, revokedAt: '2026-11-20T12:00:00Z' }, now)).toBe('revoked')
})
