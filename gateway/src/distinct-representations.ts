import { spreadIndex } from './executor/entities.ts'
import type { FetchAnswer } from './executor/fetch.ts'

/** The entities of a fetch, each once, and how to spread the answer again. */
export interface Distinct {
  readonly representations: readonly string[]
  /** Gives every place that asked for an entity its own. One that holds no other object may be the same object. */
  spread(answer: FetchAnswer): FetchAnswer
}

/**
 * A page of fifty rows of one tunnel asks fifty times for the same organization, and the executor sends all fifty. Null
 * when every representation differs.
 */
export function distinctRepresentations(representations: readonly string[]): Distinct | null {
  if (representations.length < 2) return null
  const indexOf = new Map<string, number>()
  const places = representations.map((representation) => {
    const known = indexOf.get(representation)
    if (known !== undefined) return known
    indexOf.set(representation, indexOf.size)
    return indexOf.size - 1
  })
  if (indexOf.size === representations.length) return null

  return {
    representations: Array.from(indexOf.keys()),
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
    const entity: unknown = entities[place]
    if (given.has(place)) return ownCopy(entity)
    given.add(place)
    return entity
  })
  return { ...(data as object), _entities: spread }
}

/** What it holds becomes part of the result and may be added to there: with objects in it, each place needs its own. */
function ownCopy(entity: unknown): unknown {
  if (typeof entity !== 'object' || entity === null) return entity
  for (const value of Object.values(entity)) {
    if (typeof value === 'object' && value !== null) return structuredClone(entity)
  }
  return entity
}
