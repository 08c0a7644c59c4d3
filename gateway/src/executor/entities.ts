import type { GraphQLFormattedError } from 'graphql'

import type { FetchAnswer } from './fetch.ts'

/** What an answer to a fetch of entities says of those from `from` to before `to`, as if they alone had been asked for. */
export function sliceOf({ data, errors }: FetchAnswer, from: number, to: number): FetchAnswer {
  const entities = (data as { _entities?: unknown } | null)?._entities
  const own = Array.isArray(entities) ? { _entities: entities.slice(from, to) } : data
  if (!errors) return { data: own }
  const ownErrors = errors.flatMap((error) =>
    spreadIndex(error, (index) => (index >= from && index < to ? [index - from] : [])),
  )
  return ownErrors.length > 0 ? { data: own, errors: ownErrors } : { data: own }
}

/** The error at every place where its entity stands. What concerns no single entity concerns everybody. */
export function spreadIndex(
  error: GraphQLFormattedError,
  placesOf: (index: number) => readonly number[],
): GraphQLFormattedError[] {
  const [field, index, ...rest] = error.path ?? []
  if (field !== '_entities' || typeof index !== 'number') return [error]
  return placesOf(index).map((at) => ({ ...error, path: [field, at, ...rest] }))
}
