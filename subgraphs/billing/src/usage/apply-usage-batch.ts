import type { EntityManager } from '@sluice/kit/database'
import { JobPayloadError } from '@sluice/kit/job'
import { isUuid } from '@sluice/kit/uuid'
import type { UsageBatch } from '@sluice/schema/redis'

import { ensureSubscriptions } from '../plan/plan-subscription.ts'

/** Ids of counted batches are kept this long; an older batch is refused, since nobody knows any more. */
export const batchDaysMax = 90
const hourMs = 3_600_000

interface HourCount {
  organizationId: string
  hour: Date
  tunnelId: string
  requests: number
  bytesIn: number
  bytesOut: number
}

/**
 * Counts one batch, once however often it is delivered: its id and its counts commit together. Counts land in the hour
 * of the batch's own time, however late it comes. Throws `JobPayloadError` for a batch that can never be counted.
 */
export async function applyUsageBatch(
  em: EntityManager,
  batch: UsageBatch,
  now: Date,
): Promise<'counted' | 'known'> {
  const at = new Date(batch.at)
  if (now.getTime() - at.getTime() > batchDaysMax * 24 * hourMs) {
    throw new JobPayloadError(`older than ${batchDaysMax} days`)
  }
  const foreign = batch.counts.find((one) => !isUuid(one.organizationId) || !isUuid(one.tunnelId))
  if (foreign) throw new JobPayloadError('an id of an organization or a tunnel is no uuid')
  // A relay whose clock is ahead counts now, not in a period that has not begun.
  const counts = hourCountsOf(batch, at < now ? at : now)

  return em.transactional(async (inside) => {
    const fresh = await inside.execute<unknown[]>(
      'insert into billing.applied_usage_batch (id, applied_at) values (?, ?) on conflict do nothing returning id',
      [batch.id, now],
    )
    if (fresh.length === 0) return 'known'
    await ensureSubscriptions(
      inside,
      counts.map(({ organizationId }) => organizationId),
    )
    if (counts.length > 0) await addToHours(inside, counts)
    return 'counted'
  })
}

/** One count per organization and tunnel, in the order in which everybody locks the rows. */
function hourCountsOf(batch: UsageBatch, at: Date): HourCount[] {
  const hour = new Date(Math.floor(at.getTime() / hourMs) * hourMs)
  const byTunnel = new Map<string, HourCount>()
  for (const { organizationId, tunnelId, requests, bytesIn, bytesOut } of batch.counts) {
    const key = `${organizationId} ${tunnelId}`.toLowerCase()
    const known = byTunnel.get(key)
    byTunnel.set(key, {
      organizationId,
      hour,
      tunnelId,
      requests: requests + (known?.requests ?? 0),
      bytesIn: bytesIn + (known?.bytesIn ?? 0),
      bytesOut: bytesOut + (known?.bytesOut ?? 0),
    })
  }
  return Array.from(byTunnel)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, count]) => count)
}

async function addToHours(em: EntityManager, counts: HourCount[]): Promise<void> {
  // At most 1,000 counts (the batch's limit) of 6 values: far below PostgreSQL's 65,535 parameters.
  await em.execute(
    `insert into billing.usage_hour
       (organization_id, hour, tunnel_id, requests, bytes_in, bytes_out, rolled_up)
     values ${counts.map(() => '(?, ?, ?, ?, ?, ?, false)').join(', ')}
     on conflict (organization_id, hour, tunnel_id) do update set
       requests = usage_hour.requests + excluded.requests,
       bytes_in = usage_hour.bytes_in + excluded.bytes_in,
       bytes_out = usage_hour.bytes_out + excluded.bytes_out,
       rolled_up = false`,
    counts.flatMap((one) => [
      one.organizationId,
      one.hour,
      one.tunnelId,
      one.requests,
      one.bytesIn,
      one.bytesOut,
    ]),
  )
}
