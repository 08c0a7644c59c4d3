import { expect, test } from 'vitest'

import { meterWords } from './usage-words.ts'

const atLimit = 'New tunnels are refused.'

test.for([
  [0, 'none', null],
  [49, 'none', null],
  [50, 'notice', 'More than half is used.'],
  [79, 'notice', 'More than half is used.'],
  [80, 'warn', '80 % is used. At the limit: new tunnels are refused.'],
  [99, 'warn', '99 % is used. At the limit: new tunnels are refused.'],
  [100, 'bad', 'The limit is reached. New tunnels are refused.'],
  [250, 'bad', 'The limit is reached. New tunnels are refused.'],
] as const)('at %i percent the meter says so', ([used, tone, words]) => {
  expect(meterWords({ used, limit: 100 }, atLimit)).toMatchObject({ tone, words })
})

test('99.9 percent is not called the limit', () => {
  expect(meterWords({ used: 999, limit: 1_000 }, atLimit).tone).toBe('warn')
})

test('a plan without any of it warns of nothing', () => {
  expect(meterWords({ used: 0, limit: 0 }, atLimit)).toEqual({
    percent: 0,
    tone: 'none',
    words: 'Not part of this plan.',
  })
})
