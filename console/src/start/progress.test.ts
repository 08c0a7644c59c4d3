import { expect, test } from 'vitest'

import { progressOf } from './progress.ts'

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
