import { expect, test } from 'vitest'

import { JoinLines } from './join-lines.ts'

/** Joins that end when they are told to. */
function slowJoins() {
  const lines = new JoinLines()
  const begun: { name: string; end: () => void }[] = []
  const add = (name: string, key = 'k') =>
    lines.add(key, () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      begun.push({ name, end: resolve })
      return promise
    })
  return { add, begun, names: () => begun.map(({ name }) => name) }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('while one join is under way those that follow begin in one go, with its end', async () => {
  const { add, begun, names } = slowJoins()
  add('a')
  await nextTurn()
  add('b')
  add('c')

  begun[0]?.end()

  await expect.poll(names, { timeout: 15_000 }).toEqual(['a', 'b', 'c'])
})

test('a slow join holds nobody up for long, and another line not at all', async () => {
  const { add, names } = slowJoins()
  add('a')
  await nextTurn()
  add('b')
  add('other', 'of somebody else')
  await nextTurn()
  expect(names()).toEqual(['a', 'other'])

  await expect.poll(names, { timeout: 15_000 }).toEqual(['a', 'other', 'b'])
})

test('joins of one turn begin together', async () => {
  const { add, names } = slowJoins()
  add('a')
  add('b')
  expect(names()).toEqual([])
  await nextTurn()
  expect(names()).toEqual(['a', 'b'])
})
