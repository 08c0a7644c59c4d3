import type { EntityManager } from '@sluice/kit/database'
import type { Keyset } from '@sluice/kit/keyset'

/** A table that is paged newest first within a scope: names of tables and columns, never input. */
interface PagedTable {
  table: string
  scopeColumn: string
  timeColumn: string
}

/** A piece of SQL with a `?` for each value. */
export interface Sql {
  text: string
  values: unknown[]
}

/**
 * The newest rows of each scope after a keyset, in one statement however many scopes there are. Each scope reads
 * along its own index and stops at `rows`.
 */
export async function newestRows(
  em: EntityManager,
  { table, scopeColumn, timeColumn }: PagedTable,
  scopeIds: readonly string[],
  page: { rows: number; after: Keyset | null },
  conditions: readonly Sql[],
): Promise<{ scopeId: string; row: object }[]> {
  const all = [...conditions]
  if (page.after) {
    const { at, id } = page.after
    const text = `(row.${timeColumn}, row.id) < (?::timestamptz, ?::uuid)`
    all.push({ text, values: [at.toISOString(), id] })
  }
  const where = [`row.${scopeColumn} = scope.id`, ...all.map(({ text }) => text)].join(' and ')
  const found = await em.execute<({ scope_id: string } & Record<string, unknown>)[]>(
    `select scope.id as scope_id, newest.* from unnest(?::uuid[]) as scope(id) cross join lateral (
       select row.* from ${table} as row where ${where}
       order by row.${timeColumn} desc, row.id desc limit ${page.rows}
     ) as newest order by newest.${timeColumn} desc, newest.id desc`,
    [uuidArray(scopeIds), ...all.flatMap(({ values }) => values)],
  )
  return found.map(({ scope_id: scopeId, ...row }) => ({ scopeId, row }))
}

/** Ids as PostgreSQL writes an array. Only for ids known to be UUIDs. */
export function uuidArray(ids: readonly string[]): string {
  return `{${ids.join(',')}}`
}
