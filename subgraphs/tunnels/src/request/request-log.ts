import type { EntityManager } from '@sluice/kit/database'
import { pageOf, type Keyset, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'
import { newestRows, uuidArray, type Sql } from '../newest-rows.ts'
import { CapturedRequest } from './captured-request.entity.ts'

/** What a list of requests is narrowed to. */
interface RequestFilter {
  method?: string | null | undefined
  statusMin?: number | null | undefined
  statusMax?: number | null | undefined
  pathPrefix?: string | null | undefined
  pathContains?: string | null | undefined
}

export interface RequestPageKey {
  scope: 'organization' | 'tunnel'
  id: string
  rows: number
  after: Keyset | null
  filter: RequestFilter
}

export interface RequestPageArgs {
  first?: number | null | undefined
  after?: string | null | undefined
  filter?: RequestFilter | null | undefined
}

const pathFilterCharactersMax = 2048
const methodCharactersMax = 64

/** The requests of an organization or of one tunnel, newest first. */
export function listRequests(
  { load }: Context,
  scope: RequestPageKey['scope'],
  id: string,
  args: RequestPageArgs,
): Promise<Page<CapturedRequest>> {
  const filter = args.filter ?? {}
  assertFilter(filter)
  return pageOf(
    { first: args.first ?? 50, after: args.after },
    (one) => ({ at: one.startedAt, id: one.id }),
    (rows, after) => load.requestPage.load({ scope, id, rows, after, filter }),
  )
}

/** The requests of a tunnel that may be seen, for those who may also read its log. */
export function listRequestsOfTunnel(
  context: Context,
  { id, organizationId }: { id: string; organizationId: string },
  args: RequestPageArgs,
): Promise<Page<CapturedRequest>> {
  assertMay(context.principal, organizationId, 'requests.read')
  return listRequests(context, 'tunnel', id, args)
}

/**
 * Reads the pages of many organizations or tunnels, in one statement per set of arguments. Only rows of
 * `organizationIds`, those whose log the principal may read.
 */
export async function loadRequestPages(
  em: EntityManager,
  organizationIds: readonly string[],
  keys: readonly RequestPageKey[],
): Promise<CapturedRequest[][]> {
  const groups = Map.groupBy(keys, ({ scope, rows, after, filter }) =>
    JSON.stringify([scope, rows, after, filter]),
  )
  const pages = new Map<RequestPageKey, CapturedRequest[]>()
  for (const group of groups.values()) {
    const [page] = group
    if (!page) continue
    const found = await newestRows(
      em,
      {
        table: 'tunnels.captured_request',
        scopeColumn: page.scope === 'tunnel' ? 'tunnel_id' : 'organization_id',
        timeColumn: 'started_at',
      },
      group.map((key) => key.id),
      page,
      [
        { text: 'row.organization_id = any(?::uuid[])', values: [uuidArray(organizationIds)] },
        ...conditionsOf(page.filter),
      ],
    )
    for (const key of group) {
      const own = found.filter(({ scopeId }) => scopeId === key.id)
      pages.set(
        key,
        own.map(({ row }) => em.map(CapturedRequest, row)),
      )
    }
  }
  return keys.map((key) => pages.get(key) ?? [])
}

function conditionsOf(filter: RequestFilter): Sql[] {
  const conditions: [text: string, value: string | number | null | undefined][] = [
    ['row.method = ?', filter.method?.toUpperCase()],
    ['row.status >= ?', filter.statusMin],
    ['row.status <= ?', filter.statusMax],
    ['starts_with(row.path, ?)', filter.pathPrefix],
    ['position(? in row.path) > 0', filter.pathContains],
  ]
  return conditions.flatMap(([text, value]) =>
    value === null || value === undefined || value === '' ? [] : [{ text, values: [value] }],
  )
}

function assertFilter({ method, pathPrefix, pathContains }: RequestFilter): void {
  const limits: [name: string, value: string | null | undefined, charactersMax: number][] = [
    ['method', method, methodCharactersMax],
    ['pathPrefix', pathPrefix, pathFilterCharactersMax],
    ['pathContains', pathContains, pathFilterCharactersMax],
  ]
  for (const [name, value, charactersMax] of limits) {
    // PostgreSQL has no text with a NUL in it.
    if (!value || (value.length <= charactersMax && !value.includes('\0'))) continue
    const reason = `filter.${name} has at most ${charactersMax} characters and no NUL.`
    throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
  }
}
