import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import type { Entitlements } from '@sluice/schema/events'

const OrganizationSchema = defineEntity({
  name: 'Organization',
  tableName: 'organization',
  filters: tenantFilter,
  properties: {
    organizationId: p.uuid().primary(),
    planId: p.string().length(64).nullable(),
    /** Null until billing has told: the numbers of the free plan hold. */
    entitlements: p.json<Entitlements>().nullable(),
  },
})

/** What tunnels knows of an organization, told by billing. Its row is also the lock under which tunnels are counted. */
export class Organization extends OrganizationSchema.class {}
OrganizationSchema.setClass(Organization)
