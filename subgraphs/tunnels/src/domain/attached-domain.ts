import type { EntityManager } from '@sluice/kit/database'
import type { EventHandlers } from '@sluice/kit/inbox'

import { AttachedDomain } from './attached-domain.entity.ts'

/** With its own host, as many as an agent token names. */
const domainsPerTunnelMax = 49

/** The custom domains that lead to a tunnel. */
export async function domainsOf(
  em: EntityManager,
  tunnel: { id: string; organizationId: string },
): Promise<string[]> {
  const domains = await em.find(
    AttachedDomain,
    { tunnelId: tunnel.id, organizationId: tunnel.organizationId },
    { orderBy: { domain: 'asc' }, limit: domainsPerTunnelMax },
  )
  return domains.map(({ domain }) => domain.toLowerCase())
}

/** Keeps the copy of which domains lead where; `changed` is told so that relays learn of it too. */
export function domainEvents(changed: (organizationId: string) => void): EventHandlers {
  return {
    async 'domain.attached'(em, { organizationId, domainId, domain, tunnelId }) {
      await em.upsert(AttachedDomain, { domainId, organizationId, domain, tunnelId })
      changed(organizationId)
    },
    async 'domain.detached'(em, { organizationId, domainId }) {
      await em.nativeDelete(AttachedDomain, { domainId })
      changed(organizationId)
    },
  }
}
