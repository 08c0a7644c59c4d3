import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const AttachedDomainSchema = defineEntity({
  name: 'AttachedDomain',
  tableName: 'attached_domain',
  filters: tenantFilter,
  indexes: [{ name: 'attached_domain_tunnel', properties: ['tunnelId'] }],
  properties: {
    domainId: p.uuid().primary(),
    organizationId: p.uuid(),
    domain: p.string().length(253),
    tunnelId: p.uuid(),
  },
})

/** A custom domain that leads to a tunnel, told by domains. */
export class AttachedDomain extends AttachedDomainSchema.class {}
AttachedDomainSchema.setClass(AttachedDomain)
