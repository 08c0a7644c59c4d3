import type { EntityManager } from '@sluice/kit/database'
import { parseJson } from '@sluice/kit/stream-consumer'
import { isUuid } from '@sluice/kit/uuid'
import { Presence, redisKeys } from '@sluice/schema/redis'

import type { Parts } from '../context.ts'
import { AgentSession } from '../relay/agent-session.entity.ts'
import type { Tunnel } from './tunnel.entity.ts'

export type TunnelStatus = 'ONLINE' | 'OFFLINE' | 'STOPPED' | 'DELETED'

/** The agent session that serves a tunnel. */
export interface Live {
  since: Date
  connections: number
}

/** A session counts as open this long after the last heartbeat that named it, when only the table can be asked. */
export const sessionSilentMsMax = 30_000

export function statusOf(tunnel: Tunnel, live: Live | null): TunnelStatus {
  if (tunnel.deletedAt) return 'DELETED'
  if (!tunnel.startedAt) return 'STOPPED'
  return live ? 'ONLINE' : 'OFFLINE'
}

/**
 * The sessions that serve tunnels, by one read of the presence keys. Presence is fresher than the table and counts
 * connections; while Redis is away, the sessions of the last heartbeats answer.
 */
export async function loadLive(
  em: EntityManager,
  { redis, now }: Pick<Parts, 'redis' | 'now'>,
  tunnelIds: readonly string[],
): Promise<(Live | null)[]> {
  if (redis.status === 'ready') {
    try {
      const texts = await redis.mget(tunnelIds.map(redisKeys.presence))
      return texts.map(liveOf)
    } catch {
      // Redis went away between the look and the read: the table answers.
    }
  }
  const silentSince = new Date(now().getTime() - sessionSilentMsMax)
  const sessions = await em.find(AgentSession, {
    tunnelId: { $in: tunnelIds.filter(isUuid) },
    endedAt: null,
    lastSeenAt: { $gt: silentSince },
  })
  return tunnelIds.map((id) => {
    const session = sessions.find((one) => one.tunnelId === id)
    return session ? { since: session.since, connections: 0 } : null
  })
}

function liveOf(text: string | null): Live | null {
  if (text === null) return null
  const parsed = Presence.safeParse(parseJson(text))
  if (!parsed.success) return null
  return { since: new Date(parsed.data.since), connections: parsed.data.connections }
}
