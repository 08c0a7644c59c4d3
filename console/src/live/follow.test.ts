import { expect, test } from 'vitest'

import type { StreamSink } from './follow.ts'
import { followStream, restartFirstMs, restartMaxMs } from './follow.ts'

/** A stream that is opened, ended and reconnected by hand. */
function createScene() {
  const opened: StreamSink<string>[] = []
  const log: string[] = []
  const timers: { fire: () => void; delayMs: number }[] = []
  let reconnect = () => {}
  const close = followStream<string>({
    open(sink) {
      opened.push(sink)
      return () => log.push('closed')
    },
    onEvent: (event) => log.push(event),
    onRestart: () => log.push('read again'),
    onProblem: (problem) => problem && log.push(problem.code),
    onReconnected(listener) {
      reconnect = listener
      return () => {
        reconnect = () => {}
      }
    },
    setTimer(fire, delayMs) {
      timers.push({ fire, delayMs })
      return () => timers.splice(0)
    },
    random: () => 1,
  })
  return { opened, log, timers, close, reconnect: () => reconnect() }
}

test('after a reconnect what was missed is read before the stream goes on', () => {
  const { opened, log, reconnect } = createScene()
  opened[0]?.next('first')
  reconnect()
  opened[1]?.next('second')
  expect(log).toEqual(['first', 'closed', 'read again', 'second'])
})

test('the old stream is deaf once a new one is open: no event counts twice', () => {
  const { opened, log, reconnect } = createScene()
  reconnect()
  opened[0]?.next('late')
  opened[0]?.end(null)
  expect(log).not.toContain('late')
})

test('a stream that the server ended is opened again, ever more slowly while it brings nothing', () => {
  const { opened, timers } = createScene()
  const waits: number[] = []
  for (let turn = 0; turn < 8; turn += 1) {
    opened[turn]?.end(null)
    const timer = timers.pop()
    waits.push(timer?.delayMs ?? 0)
    timer?.fire()
  }
  expect(waits[0]).toBe(restartFirstMs)
  expect(waits.at(-1)).toBe(restartMaxMs)
  expect(opened).toHaveLength(9)
})

test('an event sets the patience back', () => {
  const { opened, timers } = createScene()
  opened[0]?.end(null)
  timers.pop()?.fire()
  opened[1]?.next('alive')
  opened[1]?.end(null)
  expect(timers.pop()?.delayMs).toBe(restartFirstMs)
})

test('why a stream ended reaches the member', () => {
  const { opened, log } = createScene()
  opened[0]?.end({ code: 'SLUICE_SUBSCRIPTIONS_MAX', title: '', cause: '', fix: '', docsUrl: null })
  expect(log).toContain('SLUICE_SUBSCRIPTIONS_MAX')
})

test('closed is closed: no timer and no reconnect opens it again', () => {
  const { opened, timers, close, reconnect } = createScene()
  opened[0]?.end(null)
  close()
  reconnect()
  expect(timers).toHaveLength(0)
  expect(opened).toHaveLength(1)
})
