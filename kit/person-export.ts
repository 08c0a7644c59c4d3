import { SluiceError } from '@sluice/schema/errors'

import type { EntityManager, Orm } from './database.ts'
import { forkSystem } from './database.ts'
import type { RestRoute } from './rest.ts'

/** Each subgraph answers it with what it keeps of the person who asks; the gateway makes one document of the answers. */
export const personExportPath = '/v1/account/export'

/** Lists go no further back than this. A list that was cut is named in `truncated`. */
export const exportedRowsMax = 50_000
export const exportRowsPerPage = 1_000

/** What is kept of somebody: values as they are, and lists that are read while they are sent. */
export type PersonExport = Readonly<Record<string, unknown>>

/** One JSON object, with no more of a list in memory than a page. */
export async function* personExportText(
  parts: PersonExport,
  rowsMax = exportedRowsMax,
): AsyncGenerator<string> {
  const truncated: string[] = []
  let text = '{'
  for (const [name, part] of Object.entries(parts)) {
    text += `${JSON.stringify(name)}:`
    if (!isList(part)) {
      text += `${JSON.stringify(part ?? null)},`
      continue
    }
    text += '['
    let rows = 0
    for await (const row of part) {
      if (rows === rowsMax) {
        truncated.push(name)
        break
      }
      text += `${rows === 0 ? '' : ','}${JSON.stringify(row)}`
      rows += 1
      if (rows % exportRowsPerPage > 0) continue
      yield text
      text = ''
    }
    text += '],'
  }
  yield `${text}"truncated":${JSON.stringify(truncated)}}`
}

/** The rows of a list, a page at a time. `read` gets the last row of the page before. */
export async function* rowsByPage<T>(read: (after: T | null) => Promise<T[]>): AsyncGenerator<T> {
  let after: T | null = null
  let page: T[]
  do {
    page = await read(after)
    yield* page
    after = page.at(-1) ?? null
  } while (page.length === exportRowsPerPage)
}

/**
 * The route of a subgraph that keeps something of people. They are found by their id in every organization, also in those
 * that they have left: so nobody asks but they themselves, never staff in their place.
 */
export function personExportRoute(
  orm: Orm,
  partsOf: (em: () => EntityManager, userId: string) => PersonExport,
): RestRoute {
  return {
    method: 'GET',
    path: personExportPath,
    handle({ caller: { principal } }) {
      const { kind, userId, impersonatedBy } = principal
      if (kind !== 'user' || !userId || impersonatedBy) throw new SluiceError('SLUICE_FORBIDDEN')
      const parts = partsOf(() => forkSystem(orm), userId)
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: personExportText(parts),
      }
    },
  }
}

function isList(part: unknown): part is AsyncIterable<unknown> {
  return typeof part === 'object' && part !== null && Symbol.asyncIterator in part
}
