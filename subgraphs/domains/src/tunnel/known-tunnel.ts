import type { EntityManager } from '@sluice/kit/database'
import type { EventHandlers } from '@sluice/kit/inbox'

import { recordDetached } from '../domain/custom-domain.ts'
import { Allowance } from '../organization/allowance.entity.ts'
import { KnownTunnel } from './known-tunnel.entity.ts'

/** What domains keeps of the other subgraphs: whose tunnels are, and how many domains a plan allows. */
export const eventHandlers: EventHandlers = {
  async 'tunnel.created'(em, { tunnelId, organizationId }) {
    await em.upsert(KnownTunnel, { id: tunnelId, organizationId })
  },

  async 'tunnel.deleted'(em, { tunnelId }) {
    await forgetTunnel(em, tunnelId)
  },

  async 'entitlements.changed'(em, { organizationId, entitlements }) {
    const { maxCustomDomains } = entitlements
    await em.upsert(Allowance, { organizationId, maxCustomDomains })
  },
}

async function forgetTunnel(em: EntityManager, tunnelId: string): Promise<void> {
  // First the tunnel, which waits for an attachment under way; then what that attachment left.
  await em.nativeDelete(KnownTunnel, { id: tunnelId })
  const detached = await em.execute<{ id: string; organization_id: string; domain: string }[]>(
    'update domains.custom_domain set tunnel_id = null where tunnel_id = ? returning id, organization_id, domain',
    [tunnelId],
  )
  for (const { id, organization_id: organizationId, domain } of detached) {
    recordDetached(em, { id, organizationId, domain })
  }
}
