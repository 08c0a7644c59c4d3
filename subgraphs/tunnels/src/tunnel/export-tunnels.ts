import type { EntityManager } from '@sluice/kit/database'
import { exportRowsPerPage, rowsByPage, type PersonExport } from '@sluice/kit/person-export'

import { Tunnel } from './tunnel.entity.ts'

interface Counted {
  tunnel_id: string
  count: string
  first_at: string | null
  last_at: string | null
}

/**
 * What tunnels keeps of a person: the tunnels that they own, deleted ones too. Of the request log, which holds what
 * visitors sent, how much there is. What opens something is left out: passwords and keys of policies.
 */
export function exportTunnels(em: () => EntityManager, userId: string): PersonExport {
  return { tunnels: ownedTunnels(em, userId) }
}

async function* ownedTunnels(em: () => EntityManager, ownerId: string) {
  const pages = rowsByPage<Tunnel>((after) =>
    em().find(
      Tunnel,
      { ownerId, ...(after ? { id: { $gt: after.id } } : {}) },
      { orderBy: { id: 'asc' }, limit: exportRowsPerPage },
    ),
  )
  for await (const tunnel of pages) {
    const { id, organizationId, name, endpointHost, kind, port, region, captureBodies } = tunnel
    const { createdAt, startedAt, stoppedAt, deletedAt } = tunnel
    const about = { id, organizationId, name, endpointHost, kind, port, region, captureBodies }
    const times = { createdAt, startedAt, stoppedAt, deletedAt }
    yield { ...about, ...times, requestLog: await requestLogOf(em(), id) }
  }
}

async function requestLogOf(em: EntityManager, tunnelId: string) {
  const [found] = await em.execute<Counted[]>(
    `select count(*) as count, min(started_at) as first_at, max(started_at) as last_at
     from tunnels.captured_request where tunnel_id = ?`,
    [tunnelId],
  )
  return { requests: Number(found?.count ?? 0), firstAt: found?.first_at, lastAt: found?.last_at }
}
