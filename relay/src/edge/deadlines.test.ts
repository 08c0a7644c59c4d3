import { Socket } from 'node:net'

import { expect, test } from 'vitest'

import { Deadlines } from './deadlines.ts'
import { Exchange } from './exchange.ts'

const timeouts = {
  headTimeoutMs: 1_000,
  idleTimeoutMs: 500,
  responseHeadTimeoutMs: 2_000,
  bodyTimeoutMs: 3_000,
  bodyBytesMin: 100,
  unreadTimeoutMs: 4_000,
}

const clock = { nowMs: () => performance.now() }

test('an idle connection whose visitor never closes its half is ended all the same', () => {
  const deadlines = new Deadlines(timeouts, new Socket())
  const startMs = performance.now()
  const passed = (afterMs: number) =>
    deadlines.passed(startMs + afterMs, true, new Exchange(clock), false, false)

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
    deadlines.passed(startMs + afterMs, true, new Exchange(clock), false, false)

  expect(passed(900)).toBe('none')
  expect(passed(1_100)).toBe('head')
  deadlines.headEnded()
  deadlines.idleBegan()
  expect(passed(100)).toBe('none')
})

/** An exchange whose upload is under way. */
function uploading(startedMs: number): Exchange {
  const exchange = new Exchange(clock)
  exchange.startedMs = startedMs
  exchange.stream = { closed: false } as never
  return exchange
}

test('a request body must bring its least in each span, as long as its response has not begun', () => {
  const deadlines = new Deadlines(timeouts, new Socket())
  const exchange = uploading(10_000)
  const passed = (nowMs: number, paused = false) =>
    deadlines.passed(nowMs, false, exchange, false, paused)

  expect(passed(12_900)).toBe('none')
  exchange.requestBytes = 100
  expect(passed(12_950)).toBe('none')
  exchange.requestBytes = 199
  expect(passed(15_900)).toBe('none')
  expect(passed(15_950)).toBe('body')
  expect(passed(15_950, true)).toBe('none')
  expect(passed(18_900)).toBe('none')
  expect(passed(18_950)).toBe('body')
  exchange.responseStarted = true
  expect(passed(90_000)).toBe('none')
  exchange.responseStarted = false
  exchange.requestBytes = 0
  exchange.startedMs = 100_000
  expect(passed(102_900)).toBe('none')
})

test('a visitor that takes nothing of what waits for it is cut off where that is asked for', () => {
  const socket = { bytesWritten: 500, writableLength: 400 }
  const deadlines = new Deadlines(timeouts, socket)
  const never = new Deadlines({ ...timeouts, unreadTimeoutMs: 0 }, socket)
  const exchange = uploading(1)
  exchange.requestEnded = true
  exchange.responseStarted = true
  const passed = (nowMs: number, blocked = true) =>
    deadlines.passed(nowMs, false, exchange, blocked, false)

  expect(passed(10_000)).toBe('none')
  socket.bytesWritten = 600
  socket.writableLength = 500
  expect(passed(13_900)).toBe('none')
  expect(passed(14_000)).toBe('end')
  socket.writableLength = 499
  expect(passed(14_100)).toBe('none')
  expect(passed(18_000, false)).toBe('none')
  expect(passed(21_900)).toBe('none')
  expect(never.passed(1e9, false, exchange, true, false)).toBe('none')
})
