import type { EventHandlers } from '@sluice/kit/inbox'

import { endSubscription, ensureSubscriptions } from './plan/plan-subscription.ts'
import { KnownTunnel } from './tunnel/known-tunnel.entity.ts'

/** What billing takes from the other subgraphs: organizations to subscribe, tunnels to count. */
export const incomingEvents: EventHandlers = {
  async 'organization.created'(em, { organizationId }) {
    await ensureSubscriptions(em, [organizationId])
  },

  async 'organization.deleted'(em, { organizationId }) {
    await endSubscription(em, organizationId)
  },

  async 'tunnel.created'(em, { tunnelId, organizationId }) {
    await em.upsert(KnownTunnel, { id: tunnelId, organizationId })
  },

  async 'tunnel.deleted'(em, { tunnelId }) {
    await em.nativeDelete(KnownTunnel, { id: tunnelId })
  },
}
