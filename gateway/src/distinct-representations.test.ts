import { expect, test } from 'vitest'

import { distinctRepresentations } from './distinct-representations.ts'
import { createWorld } from './testing/world.ts'

const [one, two] = [
  '{"__typename":"Organization","id":"1"}',
  '{"__typename":"Organization","id":"2"}',
]

test('each entity is asked for once, and every place gets its own copy of it', () => {
  const distinct = distinctRepresentations([one, two, one])
  const entity = { name: 'one', plan: { name: 'free' } }
  const answer = distinct?.spread({ data: { _entities: [entity, null] } })

  expect(distinct?.representations).toEqual([one, two])
  expect(answer).toEqual({ data: { _entities: [entity, null, entity] } })
  const entities = (answer?.data as { _entities: unknown[] } | undefined)?._entities
  expect(entities?.[0]).not.toBe(entities?.[2])
})

test('an error of an entity is told at every place that asked for it', () => {
  const distinct = distinctRepresentations([one, two, two])
  const error = (path: (string | number)[]) => ({ message: 'no', path })

  const answer = distinct?.spread({
    data: { _entities: [null, null] },
    errors: [error(['_entities', 1, 'name']), error([])],
  })

  expect(answer?.errors).toEqual([
    error(['_entities', 1, 'name']),
    error(['_entities', 2, 'name']),
    error([]),
  ])
})

test('nothing is changed where every entity is another', () => {
  expect(distinctRepresentations([one, two])).toBeNull()
  expect(distinctRepresentations([])).toBeNull()
})

test('a list whose rows share an entity asks its subgraph for one', async () => {
  await using world = await createWorld()
  const text = '{ mine { organization { tunnels { id owner { name } } } } }'

  const answer = await world.query(text, world.signIn())

  expect(answer.data).toEqual({
    mine: {
      organization: {
        tunnels: [
          { id: 't1', owner: { name: 'user u1' } },
          { id: 't2', owner: { name: 'user u1' } },
        ],
      },
    },
  })
  expect(world.calls.filter(({ field }) => field === 'User')).toHaveLength(1)
})
