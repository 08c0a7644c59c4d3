import { expect, test } from 'vitest'

import { firstVisit, progressOf } from './progress.ts'

const nothing = { hasAuthtoken: false, hasOnlineTunnel: false, hasRequest: false }

test('the steps wait for each other', () => {
  expect(progressOf(nothing)).toMatchObject({ authtoken: 'now', tunnel: 'next', request: 'next' })
  expect(progressOf({ ...nothing, hasAuthtoken: true })).toMatchObject({
    authtoken: 'done',
    tunnel: 'now',
  })
})

test('the first request completes everything before it, however it came about', () => {
  expect(progressOf({ ...nothing, hasRequest: true })).toEqual({
    authtoken: 'done',
    tunnel: 'done',
    request: 'done',
    isComplete: true,
  })
})

test('the agent’s own check of the address is not taken for a visitor', () => {
  const check = { path: '/.well-known/sluice-verify/4cKUXchA' }
  expect(firstVisit([check])).toBeNull()
  expect(firstVisit([check, { path: '/' }])).toEqual({ path: '/' })
})
