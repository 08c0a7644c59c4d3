import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { Tunnel } from '../tunnel/tunnel.entity.ts'
import { queueDeliveries } from './queue-deliveries.ts'
import { tunnelFields } from './tell-webhooks.ts'

interface Change {
  id: string
  is_online: boolean
}

/**
 * Tells endpoints that tunnels have come online or gone offline. It compares what relays report with what was last
 * told, so that nothing is lost with a message, and an agent that reconnects within seconds is no news.
 */
export const tellPresence = defineJob({
  name: 'webhooks.presence',
  payload: z.object({}),

  async run(_payload, { em, now }: JobDeps) {
    const at = now()
    await em().transactional(async (own) => {
      const changes = await own.execute<Change[]>(
        `with watched as (
           select organization_id, min(created_at) as since from tunnels.webhook_endpoint
           where is_enabled and (jsonb_exists(events, 'tunnel.online') or jsonb_exists(events, 'tunnel.offline'))
           group by organization_id
         ), seen as (
           select tunnel.id, tunnel.organization_id, session.since, session.since is not null as is_online,
             -- Of those that were online before anybody wanted to know nothing is told.
             coalesce(session.since >= watched.since, false) as is_news
           from tunnels.tunnel join watched using (organization_id)
           left join lateral (
             select max(since) as since from tunnels.agent_session
             where tunnel_id = tunnel.id and ended_at is null
           ) as session on true
           where tunnel.deleted_at is null
         ), noted as (
           insert into tunnels.webhook_presence as known (tunnel_id, organization_id, is_online, changed_at)
           select id, organization_id, is_online, ?::timestamptz from seen
           on conflict (tunnel_id) do update set is_online = excluded.is_online, changed_at = excluded.changed_at
             where known.is_online <> excluded.is_online
           returning tunnel_id, is_online, xmax = 0 as is_first
         )
         select seen.id, noted.is_online from noted join seen on seen.id = noted.tunnel_id
         where not noted.is_first or seen.is_news`,
        [at.toISOString()],
      )
      const tunnels = await own.find(Tunnel, { id: { $in: changes.map(({ id }) => id) } })
      const online = new Map(changes.map(({ id, is_online: isOnline }) => [id, isOnline]))
      const messages = tunnels.map((tunnel) => ({
        id: `msg_${crypto.randomUUID()}`,
        event: online.get(tunnel.id) ? ('tunnel.online' as const) : ('tunnel.offline' as const),
        organizationId: tunnel.organizationId,
        occurredAt: at,
        data: {
          organizationId: tunnel.organizationId,
          tunnelId: tunnel.id,
          ...tunnelFields(tunnel),
        },
      }))
      await queueDeliveries(own, messages, at)
    })
  },
})
