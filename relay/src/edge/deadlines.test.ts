import { Socket } from 'node:net'

import { expect, test } from 'vitest'

import { Deadlines } from './deadlines.ts'
import { Exchange } from './exchange.ts'

const timeouts = { headTimeoutMs: 1_000, idleTimeoutMs: 500, responseHeadTimeoutMs: 2_000 }

test('an idle connection whose visitor never closes its half is ended all the same', () => {
  const deadlines = new Deadlines(timeouts, new Socket())
  const startMs = performance.now()
  const passed = (afterMs: number) =>
    deadlines.passed(startMs + afterMs, true, new Exchange(), false)

  expect(passed(400)).toBe('none')
  expect(passed(600)).toBe('idle')
  deadlines.closeIn(5_000)
  expect(passed(1_200)).toBe('none')
  expect(passed(6_000)).toBe('end')
})

test('a head has its own deadline, which other requests do not share', () => {
  const deadlines = new Deadlines(timeouts, new Socket())
  deadlines.headBegan()
  const startMs = performance.now()
  const passed = (afterMs: number) =>
    deadlines.passed(startMs + afterMs, true, new Exchange(), false)

  expect(passed(900)).toBe('none')
  expect(passed(1_100)).toBe('head')
  deadlines.headEnded()
  deadlines.idleBegan()
  expect(passed(100)).toBe('none')
})
