import type { EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { ReleasedHost } from './released-host.entity.ts'
import type { Tunnel } from './tunnel.entity.ts'

/**
 * Links, webhooks and DNS records lead to a host long after its tunnel is gone. Until they are forgotten nobody but the
 * organization that had it gets it, so that nobody receives what was meant for another.
 */
const quarantineDays = 30

/** Notes that the host of a tunnel is free from now on. Part of the transaction that deletes the tunnel. */
export function releaseHost(em: EntityManager, tunnel: Tunnel, at: Date): void {
  const { endpointHost, organizationId } = tunnel
  em.persist(em.create(ReleasedHost, { endpointHost, releasedBy: organizationId, releasedAt: at }))
}

/**
 * Takes a host for a tunnel that this transaction has inserted: its unique index lets one at a time come this far, and
 * only once whoever had the host has committed. Throws SLUICE_ENDPOINT_HOST_TAKEN while it is another's in quarantine.
 */
export async function takeHost(em: EntityManager, tunnel: Tunnel, now: Date): Promise<void> {
  const { endpointHost, organizationId } = tunnel
  const until = new Date(now.getTime() - quarantineDays * 86_400_000)
  await em.execute(
    `delete from tunnels.released_host
     where endpoint_host = ? and (released_by = ? or released_at <= ?::timestamptz)`,
    [endpointHost, organizationId, until],
  )
  if ((await em.count(ReleasedHost, { endpointHost })) === 0) return
  throw new SluiceError('SLUICE_ENDPOINT_HOST_TAKEN', { endpointHost })
}
