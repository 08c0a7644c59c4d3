import type { EntityManager } from '@sluice/kit/database'

import type { ResourceType } from './attributes.ts'
import { filterSql, type Columns, type Sql } from './filter-sql.ts'
import { parseFilter } from './filter.ts'
import { wantedOf, type Data, type Wanted } from './resource.ts'
import { invalidValue } from './scim-error.ts'

/** As many resources as one answer has; a larger `count` is cut (RFC 7644 §3.4.2.4). */
export const countMax = 200
const countDefault = 100

/** What a list, or one resource, is asked with. */
export interface Query {
  readonly filter: string | null
  /** From 1. */
  readonly startIndex: number
  readonly count: number
  readonly wanted: Wanted
}

export function queryOf(parameters: URLSearchParams): Query {
  return {
    filter: parameters.get('filter'),
    startIndex: Math.max(1, wholeOf(parameters.get('startIndex'), 'startIndex', 1)),
    count: Math.max(0, Math.min(wholeOf(parameters.get('count'), 'count', countDefault), countMax)),
    wanted: wantedOf(parameters.getAll('attributes'), parameters.getAll('excludedAttributes')),
  }
}

/** The same as the body of a `.search` (RFC 7644 §3.4.3). */
export function searchOf(body: Data): Query {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(body)) {
    if (name === 'attributes' || name === 'excludedAttributes') {
      parameters.set(name, [value].flat().join(','))
    } else if (typeof value === 'string' || typeof value === 'number') {
      parameters.set(name, String(value))
    }
  }
  return queryOf(parameters)
}

/** The condition of a list, its values included. */
export function conditionOf(type: ResourceType, columns: Columns, filter: string | null): Sql {
  if (filter === null || filter.trim() === '') return { text: 'true', values: [] }
  return filterSql(type, columns, parseFilter(filter))
}

export async function countOf(em: EntityManager, from: string, values: unknown[]): Promise<number> {
  const [row] = await em.execute<{ total: string }[]>(`select count(*) as total ${from}`, values)
  return Number(row?.total ?? 0)
}

export function listAnswer(resources: Data[], total: number, { startIndex }: Query): Data {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

/** Beyond it PostgreSQL could not count. */
const wholeMax = 1_000_000_000

function wholeOf(text: string | null, name: string, fallback: number): number {
  if (text === null || text.trim() === '') return fallback
  const whole = Number(text)
  if (!Number.isInteger(whole) || Math.abs(whole) > wholeMax) {
    throw invalidValue(`${name} is not a whole number.`)
  }
  return whole
}
