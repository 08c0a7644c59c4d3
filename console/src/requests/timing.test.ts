import { expect, test } from 'vitest'

import { timingOf } from './timing.ts'

test('the parts of a request add up to its whole', () => {
  const parts = timingOf({ durationMs: 40, firstByteMs: 30 })
  expect(parts.map(({ name, ms, percent }) => [name, ms, percent])).toEqual([
    ['wait', 30, 75],
    ['download', 10, 25],
  ])
})

test('a request without an answer waited all the time', () => {
  expect(timingOf({ durationMs: 12, firstByteMs: null })).toMatchObject([
    { name: 'wait', percent: 100 },
  ])
})

test('a first byte after the end, by a clock that jumped, does not overflow the bar', () => {
  expect(timingOf({ durationMs: 10, firstByteMs: 99 }).map(({ ms }) => ms)).toEqual([10, 0])
})

test('an instant request divides by nothing', () => {
  expect(timingOf({ durationMs: 0, firstByteMs: 0 }).map(({ percent }) => percent)).toEqual([0, 0])
})
