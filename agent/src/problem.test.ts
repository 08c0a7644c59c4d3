import { errors, SluiceError, type ErrorCode } from '@sluice/schema/errors'
import { expect, test } from 'vitest'

import { exitCodeOf } from './exit-code.ts'
import { refusalOf, shownProblemOf } from './problem.ts'

test('exit codes are what the README says', () => {
  const expected: Partial<Record<ErrorCode, number>> = {
    SLUICE_COMMAND_FAILED: 1,
    SLUICE_INTERNAL: 1,
    SLUICE_CONFIG_NOT_SAVED: 1,
    SLUICE_USAGE: 2,
    SLUICE_COMMAND_UNKNOWN: 2,
    SLUICE_NOT_LOGGED_IN: 3,
    SLUICE_AUTHTOKEN_INVALID: 3,
    SLUICE_UNAUTHENTICATED: 3,
    SLUICE_FORBIDDEN: 4,
    SLUICE_TUNNELS_MAX: 4,
    SLUICE_ENDPOINT_HOST_TAKEN: 4,
    SLUICE_TUNNEL_NOT_FOUND: 4,
    SLUICE_SERVER_UNREACHABLE: 5,
    SLUICE_SERVER_FOREIGN: 5,
    SLUICE_RELAY_UNREACHABLE: 5,
    SLUICE_RELAY_UNAVAILABLE: 5,
    SLUICE_SUBGRAPH_UNAVAILABLE: 5,
    SLUICE_ROUND_TRIP_FAILED: 6,
    SLUICE_SESSION_REPLACED: 7,
    SLUICE_SESSION_REVOKED: 7,
  }
  for (const [code, exitCode] of Object.entries(expected)) {
    expect([code, exitCodeOf(code, 0)]).toEqual([code, exitCode])
  }
})

test('no failure of the catalogue ends as success', () => {
  for (const [code, { status }] of Object.entries(errors)) {
    expect(exitCodeOf(code, status)).toBeGreaterThan(0)
  }
})

test('a code of a newer server keeps its words, and its status decides the exit code', () => {
  const refusal = refusalOf('Quota used up.', {
    code: 'SLUICE_QUOTA_USED_UP',
    status: 403,
    title: 'Quota used up.',
    detail: 'It is spent.',
    fix: 'Wait.',
  })

  expect(shownProblemOf(refusal)).toMatchObject({
    code: 'SLUICE_QUOTA_USED_UP',
    title: 'Quota used up.',
    cause: 'It is spent.',
    fix: 'Wait.',
    exitCode: 4,
  })
})

test('details of a refusal fill the sentences', () => {
  const refusal = refusalOf('', { code: 'SLUICE_TUNNELS_MAX', status: 403, max: 3 })

  expect(shownProblemOf(refusal).title).toBe('Your plan allows 3 tunnels.')
})

test('a failure links to the server that can explain it, unless that is what is away', () => {
  const shown = (code: ErrorCode) =>
    shownProblemOf(new SluiceError(code), 'https://console.example.com')

  expect(shown('SLUICE_TUNNELS_MAX').docs).toBe(
    'https://console.example.com/errors/SLUICE_TUNNELS_MAX',
  )
  expect(shown('SLUICE_TUNNELS_MAX').authtokensUrl).toBeUndefined()
  expect(shown('SLUICE_NOT_LOGGED_IN').authtokensUrl).toBe('https://console.example.com/authtokens')
  expect(shown('SLUICE_SERVER_UNREACHABLE').docs).not.toContain('console.example.com')
})

test('no failure shows an authtoken, a relay key or a JWT', () => {
  const secret = `slt_${'x'.repeat(38)} slrk_abc eyJhbGciOi.eyJzdWIi.c2ln`
  const shown = JSON.stringify([
    shownProblemOf(new Error(`bad header: ${secret}`)),
    shownProblemOf(new SluiceError('SLUICE_USAGE', { reason: secret, command: '' })),
  ])

  expect(shown).not.toMatch(/xxxx|slrk_abc|eyJhbGciOi/)
  expect(shown).toContain('slt_…')
})
