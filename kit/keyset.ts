import { SluiceError } from '@sluice/schema/errors'

import { isUuid } from './uuid.ts'

/** The most rows a page can have; a larger `first` is cut. */
export const pageRowsMax = 100

/** A page of a list that is ordered by time, newest first, then id: rows that arrive meanwhile do not move it. */
export interface Page<T> {
  nodes: T[]
  edges: { cursor: string; node: T }[]
  pageInfo: {
    hasNextPage: boolean
    hasPreviousPage: boolean
    startCursor: string | null
    endCursor: string | null
  }
}

/** Where a page starts: after the row of this time and id. */
export interface Keyset {
  at: Date
  id: string
}

export function encodeCursor({ at, id }: Keyset): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString('base64url')
}

const cursorForm = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f-]{36})$/

/** Throws SLUICE_CURSOR_INVALID for what `encodeCursor` did not make. */
export function decodeCursor(cursor: string): Keyset {
  const match = cursorForm.exec(Buffer.from(cursor, 'base64url').toString())
  const [, time = '', id = ''] = match ?? []
  const at = new Date(time)
  if (Number.isNaN(at.getTime()) || !isUuid(id)) throw new SluiceError('SLUICE_CURSOR_INVALID')
  return { at, id }
}

/**
 * Reads a page: `load` gets the number of rows to fetch (one more than the page, to know whether there is a next)
 * and the keyset to start after, and returns them newest first.
 */
export async function pageOf<T>(
  args: { first?: number | null | undefined; after?: string | null | undefined },
  keysetOf: (row: T) => Keyset,
  load: (rows: number, after: Keyset | null) => Promise<T[]>,
): Promise<Page<T>> {
  const first = Math.max(0, Math.min(args.first ?? 25, pageRowsMax))
  const after = args.after ? decodeCursor(args.after) : null
  const rows = await load(first + 1, after)
  const nodes = rows.slice(0, first)
  const edges = nodes.map((node) => ({ cursor: encodeCursor(keysetOf(node)), node }))
  return {
    nodes,
    edges,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: after !== null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}

/** The condition for MikroORM that continues after a keyset, for columns `[atColumn, id]` descending. */
export function afterKeyset(atColumn: string, after: Keyset | null): Record<string, unknown> {
  if (!after) return {}
  return {
    $or: [{ [atColumn]: { $lt: after.at } }, { [atColumn]: after.at, id: { $lt: after.id } }],
  }
}
