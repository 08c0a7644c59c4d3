import {
  redisChannels,
  type Revocation,
  type TunnelChange,
  type TunnelStatusChange,
} from '@sluice/schema/redis'

import type { Parts } from '../context.ts'
import type { TunnelStatus } from './live-status.ts'
import type { Tunnel } from './tunnel.entity.ts'

/**
 * Tells live readers, after the commit, that a tunnel's status has changed. Without Redis nobody listens; who comes
 * later reads the row.
 */
export async function announceStatus(
  { redis, now, log }: Pick<Parts, 'redis' | 'now' | 'log'>,
  tunnel: Pick<Tunnel, 'id' | 'organizationId'>,
  status: TunnelStatus,
): Promise<void> {
  const change: TunnelStatusChange = {
    tunnelId: tunnel.id,
    organizationId: tunnel.organizationId,
    status,
    at: now().toISOString(),
  }
  await redis
    .publish(redisChannels.tunnelStatus(tunnel.organizationId), JSON.stringify(change))
    .catch((error: unknown) =>
      log.warn({ err: error, tunnelId: tunnel.id }, 'a status was not told'),
    )
}

/** Tells relays, after the commit, to have agents fetch a new token. When it is lost, the next renewal brings the change. */
export async function announceChange(
  { redis, log }: Pick<Parts, 'redis' | 'log'>,
  tunnelIds: readonly string[],
): Promise<void> {
  await Promise.all(
    tunnelIds.map((tunnelId) =>
      redis.publish(
        redisChannels.tunnelChanges,
        JSON.stringify({ tunnelId } satisfies TunnelChange),
      ),
    ),
  ).catch((error: unknown) => log.warn({ err: error, tunnelIds }, 'a change was not told'))
}

/** Tells relays, after the commit, to end the sessions of a tunnel. When it is lost, a heartbeat repeats it. */
export async function announceRevocation(
  { redis, log }: Pick<Parts, 'redis' | 'log'>,
  tunnelId: string,
  at: Date,
): Promise<void> {
  const revocation: Revocation = { kind: 'tunnel', id: tunnelId, at: at.toISOString() }
  await redis
    .publish(redisChannels.revocations, JSON.stringify(revocation))
    .catch((error: unknown) => log.warn({ err: error, tunnelId }, 'a revocation was not told'))
}
