import type { PublicError } from './graph-errors.ts'

/** What a subgraph answered, parsed; errors as they may be shown. */
export interface Answer {
  data: unknown
  errors?: PublicError[]
}

/** The variables of an entity fetch with each entity asked for once, and how to spread the answer again. */
export interface Distinct {
  readonly variables: Readonly<Record<string, unknown>>
  /** Gives every place that asked for an entity its own copy: the executor merges into what it receives. */
  spread(answer: Answer): Answer
}

/**
 * A page of fifty rows of one tunnel asks fifty times for the same organization, and the executor sends all fifty. Null
 * when every representation differs, or there are none.
 */
export function distinctRepresentations(
  variables: Readonly<Record<string, unknown>> | undefined,
): Distinct | null {
  const representations = variables?.['representations']
  if (!Array.isArray(representations) || representations.length < 2) return null
  const indexOf = new Map<string, number>()
  const distinct: unknown[] = []
  const places = representations.map((representation) => {
    const key = JSON.stringify(representation)
    const known = indexOf.get(key)
    if (known !== undefined) return known
    indexOf.set(key, distinct.length)
    return distinct.push(representation) - 1
  })
  if (distinct.length === representations.length) return null

  return {
    variables: { ...variables, representations: distinct },
    spread({ data, errors }) {
      const placesOf = (index: number) =>
        places.flatMap((place, at) => (place === index ? [at] : []))
      return {
        data: spreadData(data, places),
        ...(errors ? { errors: errors.flatMap((error) => spreadIndex(error, placesOf)) } : {}),
      }
    },
  }
}

function spreadData(data: unknown, places: readonly number[]): unknown {
  const entities = (data as { _entities?: unknown } | null)?._entities
  if (!Array.isArray(entities)) return data
  const given = new Set<number>()
  const spread = places.map((place) => {
    if (given.has(place)) return structuredClone(entities[place]) as unknown
    given.add(place)
    return entities[place] as unknown
  })
  return { ...(data as object), _entities: spread }
}

/** An error of one entity is one of each place that asked for it, in the indexes of whoever asked. */
export function spreadIndex(
  error: PublicError,
  placesOf: (index: number) => readonly number[],
): PublicError[] {
  const [field, index, ...rest] = error.path ?? []
  if (field !== '_entities' || typeof index !== 'number') return [error]
  return placesOf(index).map((at) => ({ ...error, path: [field, at, ...rest] }))
}
