import type { EntityManager } from '@sluice/kit/database'
import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { periodOf } from '../plan/period.ts'
import { batchDaysMax } from './apply-usage-batch.ts'

const organizationsMax = 100
/** Hours are kept longer than any batch may be late, so that a total can always be summed again. */
const hourMonths = 13
const pruneRowsMax = 5_000

/** Sums the hours of each organization that has new counts into the totals of its periods. */
export const rollUpUsage = defineJob({
  name: 'usage.roll-up',
  payload: z.object({}),

  async run(_payload, { em, now }: JobDeps, signal) {
    for (;;) {
      const organizations = await em().transactional((inside) => rollUpSome(inside, now()))
      if (organizations < organizationsMax || signal.aborted) return
    }
  },
})

/** Rolls up a few organizations and returns how many; each belongs to one worker at a time. */
async function rollUpSome(em: EntityManager, now: Date): Promise<number> {
  // Organizations, and the hours of each, are locked in the order in which batches lock them: both never wait in a circle.
  const due = await em.execute<{ organization_id: string; started_at: string }[]>(
    `select organization_id, started_at from billing.plan_subscription s
     where exists (
       select 1 from billing.usage_hour h where h.organization_id = s.organization_id and not h.rolled_up
     ) order by organization_id limit ${organizationsMax} for update skip locked`,
  )
  for (const { organization_id: organizationId, started_at: startedAt } of due) {
    const hours = await em.execute<{ hour: string }[]>(
      `with changed as (
         select organization_id, hour, tunnel_id from billing.usage_hour
         where organization_id = ? and not rolled_up order by tunnel_id, hour for update
       )
       update billing.usage_hour h set rolled_up = true from changed
       where (h.organization_id, h.hour, h.tunnel_id)
           = (changed.organization_id, changed.hour, changed.tunnel_id)
       returning h.hour`,
      [organizationId],
    )
    const starts = new Map(
      hours.map(({ hour }) => {
        const period = periodOf(new Date(startedAt), new Date(hour))
        return [period.start.getTime(), period]
      }),
    )
    for (const { start, end } of starts.values()) {
      // Summed anew, never added to: a run that happens twice changes nothing.
      await em.execute(
        `insert into billing.usage_period (organization_id, period_start, requests, bytes, rolled_up_at)
         select ?::uuid, ?::timestamptz, coalesce(sum(requests), 0), coalesce(sum(bytes_in + bytes_out), 0), ?::timestamptz
         from billing.usage_hour where organization_id = ? and hour >= ? and hour < ?
         on conflict (organization_id, period_start) do update set
           requests = excluded.requests, bytes = excluded.bytes, rolled_up_at = excluded.rolled_up_at`,
        [organizationId, start, now, organizationId, start, end],
      )
    }
  }
  return due.length
}

/**
 * Forgets what nobody needs any more: ids of batches that are too old to come again, the hours of past years and
 * what could not be counted then.
 */
export const pruneUsage = defineJob({
  name: 'usage.prune',
  payload: z.object({}),

  async run(_payload, { em, now }: JobDeps, signal) {
    const at = now()
    const prune = async (table: string, column: string, age: string) => {
      for (;;) {
        const gone = await em().execute<unknown[]>(
          `delete from billing.${table} where ctid in (
             select ctid from billing.${table} where ${column} < ?::timestamptz - ?::interval limit ${pruneRowsMax}
           ) returning 1`,
          [at, age],
        )
        if (gone.length < pruneRowsMax || signal.aborted) return
      }
    }
    // A day more than batches are accepted: a batch may be refused only while its id is still known.
    await prune('applied_usage_batch', 'applied_at', `${batchDaysMax + 1} days`)
    await prune('usage_hour', 'hour', `${hourMonths} months`)
    await prune('usage_dead_letter', 'received_at', `${hourMonths} months`)
  },
})
