import type { EntityManager } from '@sluice/kit/database'
import { defineJob } from '@sluice/kit/job'
import { freeEntitlements } from '@sluice/schema/events'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { dropExpiredBodies } from './captured-body.ts'
import { dayOf, daysAfter, dropPartition, listPartitions, lockStorage } from './partition.ts'

/** Rows deleted per statement: short enough that nobody waits for it. */
const deletedRowsMax = 5_000
/** How long what could not be stored, and sessions that have ended, stay for the operator to look at. */
const historyDays = 30

/** Drops the days that no organization keeps, then the rows beyond each organization's own retention. */
export const dropExpiredRequests = defineJob({
  name: 'requests.retention',
  payload: z.object({}),

  async run(_payload, { em, now, objects }: JobDeps, signal) {
    const today = dayOf(now())
    const longest = await longestRetentionDays(em())
    for (const day of await listPartitions(em())) {
      // A row lives for whole days after its own: the day of the oldest one kept is still in use.
      if (signal.aborted || day >= daysAfter(today, -longest)) break
      await em().transactional(async (locked) => {
        await lockStorage(locked)
        await dropPartition(locked, day)
      })
    }

    let deleted: number
    do {
      deleted = await deleteExpired(em(), now())
    } while (deleted === deletedRowsMax && !signal.aborted)
    await pruneHistory(em(), now())
    if (objects) await dropExpiredBodies(objects, await retentionDays(em()), today, signal)
  },
})

async function longestRetentionDays(em: EntityManager): Promise<number> {
  const [row] = await em.execute<{ days: number | null }[]>(
    `select max((entitlements->>'requestLogDays')::int) as days from tunnels.organization`,
  )
  return Math.max(row?.days ?? 0, freeEntitlements.requestLogDays)
}

/** How many days each organization keeps its log, by id, as far as it is known here. */
async function retentionDays(em: EntityManager): Promise<(organizationId: string) => number> {
  const rows = await em.execute<{ id: string; days: number | null }[]>(
    `select organization_id as id, (entitlements->>'requestLogDays')::int as days from tunnels.organization`,
  )
  const known = new Map(rows.map(({ id, days }) => [id, days]))
  return (organizationId) => known.get(organizationId) ?? freeEntitlements.requestLogDays
}

/** Steps from one organization that has rows to the next along the index, and deletes along it too: never a full read. */
async function deleteExpired(em: EntityManager, now: Date): Promise<number> {
  const rows = await em.execute<unknown[]>(
    `with recursive owner(organization_id) as (
       (select organization_id from tunnels.captured_request order by organization_id limit 1)
       union all
       select (select next.organization_id from tunnels.captured_request as next
               where next.organization_id > owner.organization_id order by next.organization_id limit 1)
       from owner where owner.organization_id is not null
     ), expired as (
       select row.id, row.started_at from owner
       left join tunnels.organization as known using (organization_id)
       cross join lateral (
         select id, started_at from tunnels.captured_request
         where organization_id = owner.organization_id and started_at < ?::timestamptz - make_interval(
           days => coalesce((known.entitlements->>'requestLogDays')::int, ${freeEntitlements.requestLogDays}))
         limit ${deletedRowsMax}
       ) as row limit ${deletedRowsMax}
     )
     delete from tunnels.captured_request as row using expired
     where row.id = expired.id and row.started_at = expired.started_at returning 1 as one`,
    [now.toISOString()],
  )
  return rows.length
}

async function pruneHistory(em: EntityManager, now: Date): Promise<void> {
  const before = `?::timestamptz - interval '${historyDays} days'`
  await em.execute(`delete from tunnels.dead_letter where at < ${before}`, [now.toISOString()])
  await em.execute(`delete from tunnels.agent_session where ended_at < ${before}`, [
    now.toISOString(),
  ])
}
