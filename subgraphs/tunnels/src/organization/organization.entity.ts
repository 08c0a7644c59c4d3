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
    /** Browsers are asked before they visit its tunnels: staff has not verified the account. */
    visitNotice: p.boolean().default(false),
    /** Since when staff has suspended it: its hosts say so to visitors, and its webhooks wait. */
    suspendedAt: p.datetime().nullable(),
    /** Since then it makes no tunnels, whatever a request that was under way says. */
    deletedAt: p.datetime().nullable(),
  },
})

/** What tunnels knows of an organization, told by billing and by staff. Its row is also the lock under which tunnels are counted. */
export class Organization extends OrganizationSchema.class {}
OrganizationSchema.setClass(Organization)
