import { system, recordAct } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'

import { recordDetached } from '../domain/custom-domain.ts'
import { KnownTunnel } from './known-tunnel.entity.ts'

/** Ends what leads to a tunnel that is gone, and tells so. Runs in the caller's transaction. */
export async function forgetTunnel(em: EntityManager, tunnelId: string): Promise<void> {
  // First the tunnel, which waits for an attachment under way; then what that attachment left.
  await em.nativeDelete(KnownTunnel, { id: tunnelId })
  const detached = await em.execute<{ id: string; organization_id: string; domain: string }[]>(
    'update domains.custom_domain set tunnel_id = null where tunnel_id = ? returning id, organization_id, domain',
    [tunnelId],
  )
  for (const { id, organization_id: organizationId, domain } of detached) {
    recordDetached(em, { id, organizationId, domain })
    recordAct(em, {
      action: 'domain.detached',
      actor: system,
      organizationId,
      target: { type: 'domain', id },
      details: `${domain}: tunnel ${tunnelId} was deleted`,
      at: new Date(),
    })
  }
}
