import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import type { Context } from '../context.ts'

export interface StoppedTunnel {
  id: string
  at: Date
}

/** Relays look back no further than their tokens can live; who asks for more gets so much. */
const lookBackMsMax = 2 * 86_400_000
const stoppedMax = 10_000

/** Tunnels stopped or deleted since then, the latest first: what a relay has missed of the announcements. For relay keys only. */
export async function listStoppedTunnels(
  { principal, parts }: Context,
  since: Date,
): Promise<StoppedTunnel[]> {
  if (principal.kind !== 'relay') throw new SluiceError('SLUICE_RELAY_KEY_INVALID')
  const oldest = new Date(Math.max(since.getTime(), parts.now().getTime() - lookBackMsMax))
  // A relay serves every organization.
  const rows = await forkSystem(parts.orm).execute<{ id: string; at: string }[]>(
    `select id, greatest(stopped_at, deleted_at) as at from tunnels.tunnel
     where stopped_at >= ?::timestamptz or deleted_at >= ?::timestamptz order by at desc limit ${stoppedMax}`,
    [oldest.toISOString(), oldest.toISOString()],
  )
  return rows.map(({ id, at }) => ({ id, at: new Date(at) }))
}
