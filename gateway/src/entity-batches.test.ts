import { expect, test } from 'vitest'

import { EntityBatches } from './entity-batches.ts'
import type { FetchAnswer } from './executor/fetch.ts'

/** A subgraph that answers when it is told to. */
function slowSubgraph() {
  const asked: { keys: readonly string[]; answer: (answer: FetchAnswer) => void }[] = []
  const send = (keys: readonly string[]): Promise<FetchAnswer> => {
    const { promise, resolve } = Promise.withResolvers<FetchAnswer>()
    asked.push({ keys, answer: resolve })
    return promise
  }
  return { asked, send }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const forever = new AbortController().signal

test('fetches of one turn become one, and each gets its own entities and errors', async () => {
  const { asked, send } = slowSubgraph()
  const batches = new EntityBatches()
  const load = (...keys: string[]) => batches.load('k', keys, forever, send)
  const answers = [load('a', 'b'), load('c')]
  void batches.load('other', ['d'], forever, send)
  await nextTurn()

  expect(asked.map(({ keys }) => keys)).toEqual([['a', 'b', 'c'], ['d']])
  const errors = [
    { message: 'of b', path: ['_entities', 1, 'name'] },
    { message: 'of c', path: ['_entities', 2] },
    { message: 'of all' },
  ]
  asked[0]?.answer({ data: { _entities: ['a', 'b', 'c'] }, errors })

  expect(await Promise.all(answers)).toEqual([
    {
      data: { _entities: ['a', 'b'] },
      errors: [{ message: 'of b', path: ['_entities', 1, 'name'] }, { message: 'of all' }],
    },
    {
      data: { _entities: ['c'] },
      errors: [{ message: 'of c', path: ['_entities', 0] }, { message: 'of all' }],
    },
  ])
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
  asked[0]?.answer({ data: { _entities: ['a', 'b'] } })

  expect(await stays).toEqual({ data: { _entities: ['b'] } })
})
