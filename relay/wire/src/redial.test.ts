import { expect, test } from 'vitest'

import { Redial, type RedialIo } from './redial.ts'

/** Runs timers by hand, with the highest or lowest of dice. */
function io(random: number) {
  const timers = new Set<() => void>()
  const waits: number[] = []
  let dialled = 0
  const world: RedialIo = {
    random: () => random,
    setTimer(callback, delayMs) {
      waits.push(delayMs)
      timers.add(callback)
      return () => timers.delete(callback)
    },
  }
  const fire = (): void => {
    for (const timer of Array.from(timers)) {
      timers.delete(timer)
      timer()
    }
  }
  return { redial: new Redial(world, () => (dialled += 1)), timers, dialled: () => dialled, fire }
}

test('waits grow to half a minute with full jitter, and the first is none', () => {
  const longest = io(1)
  const shortest = io(0)
  const waits = ({ redial }: ReturnType<typeof io>, count: number): number[] =>
    Array.from({ length: count }, () => redial.again())

  expect(waits(longest, 10)).toEqual([
    0, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000,
  ])
  expect(waits(shortest, 3)).toEqual([0, 0, 0])
})

test('waits start small again only after a session that held for a while', () => {
  const { redial, fire } = io(1)
  redial.again()
  fire()

  expect(redial.online()).toBe(false)
  expect(redial.again()).toBe(0)
  fire()
  expect(redial.online()).toBe(true)
  expect(redial.again()).toBe(200)
  fire()
  redial.online()
  fire()
  expect(redial.again()).toBe(0)
})

test('what is stopped dials no more, and leaves no timer', () => {
  const { redial, timers, dialled, fire } = io(0)
  redial.again()
  redial.online()
  redial.stop()
  redial.again()
  fire()

  expect([timers.size, dialled()]).toEqual([0, 0])
})
