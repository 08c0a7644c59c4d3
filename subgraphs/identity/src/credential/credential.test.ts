import { expect, test } from 'vitest'

import {
  credentialPrefixes,
  hashOf,
  isWellFormed,
  kindOf,
  newCredential,
  shownPrefixOf,
  type CredentialKind,
} from './credential.ts'

const kinds = Object.keys(credentialPrefixes) as CredentialKind[]
/** As docs/security.md gives it to secret scanners. */
const scanned = /\bsl[tkc]_[0-9A-Za-z]{38}\b/

test.each(kinds)('a new secret of kind %s is of that kind and no other', (kind) => {
  const secret = newCredential(kind)

  expect(secret).toMatch(scanned)
  expect(kindOf(secret)).toBe(kind)
  expect(kinds.filter((other) => isWellFormed(other, secret))).toEqual([kind])
  expect(shownPrefixOf(secret)).toBe(secret.slice(0, 10))
  expect(hashOf(secret)).toMatch(/^[0-9a-f]{64}$/)
  expect(newCredential(kind)).not.toBe(secret)
})

test('one wrong character, a missing or an added one is told without a look-up', () => {
  const secret = newCredential('authtoken')
  const wrong = Array.from(secret).map(
    (character, place) =>
      secret.slice(0, place) + (character === 'a' ? 'b' : 'a') + secret.slice(place + 1),
  )

  const texts = [...wrong, secret.slice(0, -1), `${secret} `, `${secret}\n`, 'slt_', '', '_']
  expect(texts.map(kindOf).filter((kind) => kind !== null)).toEqual([])
})

test('the checksum is the one that earlier releases gave authtokens', () => {
  expect(kindOf('slt_0123456789ABCDEFGHIJKLMNOPQRSTUV1ggZdL')).toBe('authtoken')
})
