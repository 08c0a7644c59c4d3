import type { EntityManager } from '@sluice/kit/database'
import type { Principal } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import DataLoader from 'dataloader'

import { Certificate } from '../certificate/certificate.entity.ts'
import type { Loaders } from '../context.ts'
import { CustomDomain } from './custom-domain.entity.ts'
import { mayReadDomains } from './custom-domain.ts'

/** Loads of one request. What the principal may not read looks missing, whoever names its id. */
export function createLoaders(em: EntityManager, principal: Principal): Loaders {
  const seen = (domains: CustomDomain[]) =>
    domains.filter(({ organizationId }) => mayReadDomains({ principal }, organizationId))
  const newestFirst = { createdAt: 'desc', id: 'desc' } as const
  // Both lists are complete: an organization has at most `domainsPerOrganizationMax` domains.
  const listBy = (key: 'organizationId' | 'tunnelId') =>
    new DataLoader<string, CustomDomain[]>(async (ids) => {
      const where = { [key]: { $in: ids.filter(isUuid) } }
      const domains = seen(await em.find(CustomDomain, where, { orderBy: newestFirst }))
      const byKey = Map.groupBy(domains, (domain) => domain[key])
      return ids.map((id) => byKey.get(id) ?? [])
    })
  return {
    domain: new DataLoader(async (ids) => {
      const domains = seen(await em.find(CustomDomain, { id: { $in: ids.filter(isUuid) } }))
      const byId = new Map(domains.map((domain) => [domain.id, domain]))
      return ids.map((id) => byId.get(id) ?? null)
    }),
    domainsOfOrganization: listBy('organizationId'),
    domainsOfTunnel: listBy('tunnelId'),
    certificateOfDomain: new DataLoader(async (ids) => {
      // The key stays where it is, sealed or not.
      const without = { exclude: ['chain', 'sealedPrivateKey'] } as const
      const found = await em.find(Certificate, { domainId: { $in: ids.filter(isUuid) } }, without)
      const read = found.filter(({ organizationId }) =>
        mayReadDomains({ principal }, organizationId),
      )
      const byDomain = new Map(read.map((one) => [one.domainId, one as Certificate]))
      return ids.map((id) => byDomain.get(id) ?? null)
    }),
  }
}
