import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'

/** How long what was sent can be looked at, and sent again. */
const deliveryDaysMax = 14
/** Rows deleted per statement: short enough that nobody waits for it. */
const deletedRowsMax = 5_000

/** Forgets old deliveries, and what was told of tunnels that are no more. */
export const dropExpiredDeliveries = defineJob({
  name: 'webhooks.retention',
  payload: z.object({}),

  async run(_payload, { em, now }: JobDeps, signal) {
    const before = new Date(now().getTime() - deliveryDaysMax * 86_400_000).toISOString()
    let deleted: unknown[]
    do {
      deleted = await em().execute(
        `delete from tunnels.webhook_delivery where id in (
           select id from tunnels.webhook_delivery where created_at < ?::timestamptz limit ${deletedRowsMax}
         ) returning id`,
        [before],
      )
    } while (deleted.length === deletedRowsMax && !signal.aborted)
    await em().execute(
      `delete from tunnels.webhook_presence using tunnels.tunnel
       where tunnel.id = webhook_presence.tunnel_id and tunnel.deleted_at is not null`,
    )
  },
})
