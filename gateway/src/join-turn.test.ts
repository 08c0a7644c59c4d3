import { expect, onTestFinished, test, vi } from 'vitest'

import { JoinTurn } from './join-turn.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('joins of one turn share a deadline, and those of the next have their own', async () => {
  const turn = new JoinTurn(60_000)
  const stop = new AbortController()
  const [one, two] = [turn.enter(stop.signal), turn.enter(stop.signal)]
  await nextTurn()
  const later = turn.enter(stop.signal)

  expect(two.signal).toBe(one.signal)
  expect(later.signal).not.toBe(one.signal)

  stop.abort(new Error('nobody reads it'))
  expect([one.signal.aborted, later.signal.aborted]).toEqual([true, true])
  for (const { leave } of [one, two, later]) leave()
})

test('a join that takes too long is stopped, and one that is over leaves no timer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const turn = new JoinTurn(5_000)
  const stop = new AbortController()
  const quick = turn.enter(stop.signal)
  quick.leave()
  await nextTurn()
  expect(vi.getTimerCount()).toBe(0)

  const slow = turn.enter(stop.signal)
  await nextTurn()
  vi.advanceTimersByTime(5_000)

  expect(slow.signal.aborted).toBe(true)
  expect(slow.signal.reason).toMatchObject({ name: 'TimeoutError' })
  slow.leave()
})

test('what begins after everybody has left is stopped at once', () => {
  const turn = new JoinTurn(60_000)
  const stop = AbortSignal.abort(new Error('gone'))
  const { signal, leave } = turn.enter(stop)
  expect(signal.aborted).toBe(true)
  leave()
})
