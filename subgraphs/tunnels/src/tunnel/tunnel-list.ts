import type { EntityManager } from '@sluice/kit/database'
import { pageOf, type Keyset, type Page } from '@sluice/kit/keyset'

import type { Context } from '../context.ts'
import { newestRows } from '../newest-rows.ts'
import { Tunnel } from './tunnel.entity.ts'

export interface TunnelPageKey {
  organizationId: string
  rows: number
  after: Keyset | null
}

interface PageArgs {
  first?: number | null | undefined
  after?: string | null | undefined
}

/** The tunnels of an organization that are not deleted, newest first. */
export async function listTunnels(
  { load }: Context,
  organizationId: string,
  args: PageArgs,
): Promise<Page<Tunnel>> {
  const page = await pageOf<Tunnel>(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) => load.tunnelPage.load({ organizationId, rows, after }),
  )
  // Requests listed below a tunnel lead back to it.
  for (const tunnel of page.nodes) load.tunnel.prime(tunnel.id, tunnel)
  return page
}

/** Reads the pages of many organizations, in one statement per set of arguments. */
export async function loadTunnelPages(
  em: EntityManager,
  keys: readonly TunnelPageKey[],
): Promise<Tunnel[][]> {
  const groups = Map.groupBy(keys, ({ rows, after }) => JSON.stringify([rows, after]))
  const pages = new Map<TunnelPageKey, Tunnel[]>()
  for (const group of groups.values()) {
    const [page] = group
    if (!page) continue
    const found = await newestRows(
      em,
      { table: 'tunnels.tunnel', scopeColumn: 'organization_id', timeColumn: 'created_at' },
      group.map((key) => key.organizationId),
      page,
      [{ text: 'row.deleted_at is null', values: [] }],
    )
    for (const key of group) {
      const own = found.filter(({ scopeId }) => scopeId === key.organizationId)
      pages.set(
        key,
        own.map(({ row }) => em.map(Tunnel, row)),
      )
    }
  }
  return keys.map((key) => pages.get(key) ?? [])
}
