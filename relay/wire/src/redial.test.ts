import { expect, test } from 'vitest'

import { Redial, type RedialIo } from './redial.ts'

/** Runs timers by hand, with the highest or lowest of dice. */
function io(random: number) {
  const timers = new Set<() => void>()
  const waits: number[] = []
  const dialled: number[] = []
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
  return { redial: new Redial(world, (edge) => dialled.push(edge)), timers, dialled, fire }
}

test('waits grow to half a minute with full jitter, and the first is none', () => {
  const longest = io(1)
  const shortest = io(0)
  const waits = ({ redial }: ReturnType<typeof io>, count: number): number[] =>
    Array.from({ length: count }, () => redial.again(false))

  expect(waits(longest, 10)).toEqual([
    0, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000,
  ])
  expect(waits(shortest, 3)).toEqual([0, 0, 0])
})

test('waits start small again only after a session that held for a while', () => {
  const { redial, fire } = io(1)
  redial.again(false)
  fire()

  expect(redial.online()).toBe(false)
  expect(redial.again(false)).toBe(0)
  fire()
  expect(redial.online()).toBe(true)
  expect(redial.again(false)).toBe(200)
  fire()
  redial.online()
  fire()
  expect(redial.again(false)).toBe(0)
})

test('another relay is dialled when one did not answer, the same one after a loss', () => {
  const { redial, dialled, fire } = io(0)
  for (const elsewhere of [false, false, true, true, false]) {
    redial.again(elsewhere)
    fire()
  }

  expect(dialled).toEqual([0, 0, 1, 2, 2])
})

test('what is stopped dials no more, and leaves no timer', () => {
  const { redial, timers, dialled, fire } = io(0)
  redial.again(false)
  redial.online()
  redial.stop()
  redial.again(true)
  fire()

  expect([timers.size, dialled]).toEqual([0, []])
})
