import type { EventHandlers } from '@sluice/kit/inbox'

import { Allowance } from './organization/allowance.entity.ts'
import { forgetOrganization } from './organization/forget-organization.ts'
import { forgetTunnel } from './tunnel/forget-tunnel.ts'
import { KnownTunnel } from './tunnel/known-tunnel.entity.ts'

/** What domains keeps of the other subgraphs: whose tunnels are, and how many domains a plan allows. */
export const incomingEvents: EventHandlers = {
  async 'tunnel.created'(em, { tunnelId, organizationId }) {
    await em.upsert(KnownTunnel, { id: tunnelId, organizationId })
  },

  async 'tunnel.deleted'(em, { tunnelId }) {
    await forgetTunnel(em, tunnelId)
  },

  async 'organization.deleted'(em, { organizationId }) {
    await forgetOrganization(em, organizationId)
  },

  async 'entitlements.changed'(em, { organizationId, entitlements }) {
    const { maxCustomDomains } = entitlements
    await em.upsert(Allowance, { organizationId, maxCustomDomains })
  },
}
