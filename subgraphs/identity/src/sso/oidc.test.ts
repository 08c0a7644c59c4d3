import { expect, test } from 'vitest'

import { isEmailDenied } from './oidc.ts'

const google = 'https://accounts.google.com'

test.for<[string, Record<string, unknown>, boolean]>([
  ['a provider that says nothing', { iss: 'https://login.example.com' }, false],
  ['a verified address', { iss: 'https://login.example.com', email_verified: true }, false],
  ['one that is not', { iss: 'https://login.example.com', email_verified: false }, true],
  [
    'one that is not, as a text',
    { iss: 'https://login.example.com', email_verified: 'false' },
    true,
  ],
  ['Google Workspace', { iss: google, email_verified: true, hd: 'acme.example' }, false],
  ['Google Workspace, not verified', { iss: google, email_verified: false, hd: 'a.example' }, true],
  // Made by anybody who could once read mail of the company, and theirs for ever.
  ['a private Google account', { iss: google, email_verified: true }, true],
  ['one with an empty domain', { iss: google, email_verified: true, hd: '' }, true],
])('%s: whether its address is denied', ([, claims, isDenied]) => {
  expect(isEmailDenied(claims)).toBe(isDenied)
})
