import type { EntityManager } from '@sluice/kit/database'
import type { EventHandlers } from '@sluice/kit/inbox'
import type { EventPayload } from '@sluice/schema/events'
import type { RequestRecord } from '@sluice/schema/redis'
import { isWebhookEvent } from '@sluice/schema/webhook-events'

import { Tunnel } from '../tunnel/tunnel.entity.ts'
import { queueDeliveries } from './queue-deliveries.ts'

type Act = EventPayload<'act.recorded'>

/**
 * What somebody did to tunnels and domains, as every subgraph tells it to the audit: recorded in the transaction that did
 * it, and heard here once.
 */
export function webhookEventsOf(now: () => Date): EventHandlers {
  return {
    async 'act.recorded'(em, act, { id }) {
      const { organizationId, action, at } = act
      if (organizationId === null || !isWebhookEvent(action)) return
      if (!(await isWanted(em, organizationId))) return
      const data = await subjectOf(em, act)
      const message = { id: `msg_${id}`, event: action, organizationId, occurredAt: new Date(at) }
      await queueDeliveries(em, [{ ...message, data }], now())
    },
  }
}

/** Tells endpoints of requests that were just stored; metadata alone, and no query, which may hold secrets. */
export async function tellCapturedRequests(
  em: EntityManager,
  records: readonly RequestRecord[],
  now: Date,
): Promise<void> {
  if (records.length === 0) return
  const organizationIds = new Set(records.map(({ organizationId }) => organizationId))
  const wanting = await em.execute<{ organization_id: string }[]>(
    `select distinct organization_id from tunnels.webhook_endpoint
     where is_enabled and jsonb_exists(events, 'request.captured') and organization_id = any (?::uuid[])`,
    [`{${[...organizationIds].join(',')}}`],
  )
  const wanted = new Set(wanting.map((row) => row.organization_id))
  const messages = records
    .filter(({ organizationId }) => wanted.has(organizationId))
    .map((record) => ({
      id: `msg_${record.id}`,
      event: 'request.captured' as const,
      organizationId: record.organizationId,
      occurredAt: new Date(record.startedAt),
      data: {
        organizationId: record.organizationId,
        tunnelId: record.tunnelId,
        requestId: record.id,
        endpointHost: record.endpointHost,
        method: record.method,
        path: record.path.split('?', 1)[0],
        protocol: record.protocol,
        status: record.status,
        code: record.code,
        durationMs: record.durationMs,
        requestBytes: record.requestBytes,
        responseBytes: record.responseBytes,
      },
    }))
  await queueDeliveries(em, messages, now)
}

/** Most organizations have no endpoint: nothing is looked up for them. */
async function isWanted(em: EntityManager, organizationId: string): Promise<boolean> {
  const [row] = await em.execute<unknown[]>(
    `select 1 from tunnels.webhook_endpoint where organization_id = ? and is_enabled limit 1`,
    [organizationId],
  )
  return row !== undefined
}

/** What an act was done to, as partners know it. */
async function subjectOf(em: EntityManager, { organizationId, target, details }: Act) {
  if (target.type === 'domain') {
    // The audit says the name first, and then what was changed.
    const domain = details?.split(': ', 1)[0] ?? null
    return { organizationId, domainId: target.id, domain }
  }
  const tunnel = await em.findOne(Tunnel, { id: target.id })
  return { organizationId, tunnelId: target.id, ...(tunnel && tunnelFields(tunnel)) }
}

export function tunnelFields({ name, endpointHost, kind, port }: Tunnel) {
  return { name, endpointHost, kind: kind.toUpperCase(), port }
}
