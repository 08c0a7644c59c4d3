import { expect, test } from 'vitest'

import { EntityBatches } from './entity-batches.ts'
import type { Answer } from './representations.ts'

/** A subgraph that answers when it is told to. */
function slowSubgraph() {
  const asked: { keys: readonly string[]; answer: () => void }[] = []
  const send = (keys: readonly string[]): Promise<Answer> => {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    asked.push({ keys, answer: () => resolve({ data: { _entities: keys } }) })
    return promise
  }
  return { asked, send }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const forever = new AbortController().signal

test('while one fetch is under way those that follow become one, which goes with its answer', async () => {
  const { asked, send } = slowSubgraph()
  const batches = new EntityBatches()
  const load = (key: string) => batches.load('k', [key], forever, send)
  const first = load('a')
  await nextTurn()
  const [second, third] = [load('b'), load('c')]

  asked[0]?.answer()
  expect(await first).toEqual({ data: { _entities: ['a'] } })
  await nextTurn()
  asked[1]?.answer()

  expect(await Promise.all([second, third])).toEqual([
    { data: { _entities: ['b'] } },
    { data: { _entities: ['c'] } },
  ])
  expect(asked.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c']])
})

test('a subgraph that is slow holds nobody up for long', async () => {
  const { asked, send } = slowSubgraph()
  const batches = new EntityBatches()
  void batches.load('k', ['a'], forever, send)
  await nextTurn()
  const second = batches.load('k', ['b'], forever, send)

  await expect.poll(() => asked.length, { timeout: 15_000 }).toBe(2)
  asked[1]?.answer()

  expect(await second).toEqual({ data: { _entities: ['b'] } })
})

test('whoever leaves a batch takes nobody with them', async () => {
  const { asked, send } = slowSubgraph()
  const batches = new EntityBatches()
  const leaving = new AbortController()
  const gone = batches.load('k', ['a'], leaving.signal, send)
  const stays = batches.load('k', ['b'], forever, send)
  await nextTurn()

  leaving.abort(new Error('the client left'))
  await expect(gone).rejects.toThrow('the client left')
  asked[0]?.answer()

  expect(await stays).toEqual({ data: { _entities: ['b'] } })
})
