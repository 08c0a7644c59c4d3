import { expect, test } from 'vitest'

import { BoundedQueue } from './bounded-queue.ts'

test('values come out in order and waiting readers get the next one', async () => {
  const queue = new BoundedQueue<number>(10)
  const first = queue.next()
  queue.push(1)
  queue.push(2)

  expect(await first).toEqual({ done: false, value: 1 })
  expect(await queue.next()).toEqual({ done: false, value: 2 })
})

test('past the bound the oldest are dropped and counted', async () => {
  const queue = new BoundedQueue<number>(3)
  for (let value = 0; value < 10; value += 1) queue.push(value)

  expect(queue.takeMissed()).toBe(7)
  expect(queue.takeMissed()).toBe(0)
  expect(await queue.next()).toEqual({ done: false, value: 7 })
})

test('return ends a reader that waits and tells the source at once', async () => {
  let ended = false
  const queue = new BoundedQueue<number>(3, () => (ended = true))
  const waiting = queue.next()
  await queue.return()

  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(ended).toBe(true)
})

test('a failure reaches the reader after the values before it', async () => {
  const queue = new BoundedQueue<number>(3)
  queue.push(1)
  queue.end(new Error('lost'))

  expect(await queue.next()).toEqual({ done: false, value: 1 })
  await expect(queue.next()).rejects.toThrow('lost')
  expect(await queue.next()).toEqual({ done: true, value: undefined })
})

test('large values are dropped by their bytes, and the newest is always kept', async () => {
  const queue = new BoundedQueue<string>(10, undefined, { max: 10, of: (text) => text.length })
  for (const text of ['aaaa', 'bbbb', 'cccc', 'd'.repeat(20)]) queue.push(text)

  const { value } = await queue.next()
  queue.push('eeee')

  expect([value, queue.takeMissed()]).toEqual(['d'.repeat(20), 3])
  expect((await queue.next()).value).toBe('eeee')
})
