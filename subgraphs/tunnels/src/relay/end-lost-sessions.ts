import { defineJob } from '@sluice/kit/job'
import { redisKeys } from '@sluice/schema/redis'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { announceStatus } from '../tunnel/announce.ts'
import { sessionSilentMsMax } from '../tunnel/live-status.ts'

const batchSessionsMax = 500

/**
 * Ends the sessions that no heartbeat names any more: their relay was killed and could not say that its tunnels went
 * offline. The update decides who tells it, so it is told once.
 */
export const endLostSessions = defineJob({
  name: 'sessions.lost',
  payload: z.object({}),

  async run(_payload, deps: JobDeps, signal) {
    const { em, redis, now } = deps
    let ended: { tunnel_id: string; organization_id: string }[]
    do {
      const at = now()
      const silentSince = new Date(at.getTime() - sessionSilentMsMax).toISOString()
      ended = await em().execute(
        `update tunnels.agent_session set ended_at = ?::timestamptz where id in (
           select id from tunnels.agent_session where ended_at is null and last_seen_at < ?::timestamptz
           limit ${batchSessionsMax} for update skip locked
         ) returning tunnel_id, organization_id`,
        [at.toISOString(), silentSince],
      )
      for (const { tunnel_id: id, organization_id: organizationId } of ended) {
        // The agent may have moved to another relay, whose presence says so.
        const served = await redis.exists(redisKeys.presence(id)).catch(() => 0)
        if (!served) await announceStatus(deps, { id, organizationId }, 'OFFLINE')
      }
    } while (ended.length === batchSessionsMax && !signal.aborted)
  },
})
