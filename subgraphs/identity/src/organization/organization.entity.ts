import { defineEntity, p } from '@mikro-orm/core'

const OrganizationSchema = defineEntity({
  name: 'Organization',
  filters: {
    // An organization is its own tenant, so the condition is on its id; the parameters are those of `tenantFilter`.
    tenant: {
      name: 'tenant',
      default: true,
      cond: (scope: { all?: boolean; organizationIds?: string[] }) => {
        if (scope.all === true) return {}
        if (scope.all !== false) throw new Error('an entity manager without tenant scope')
        return { id: { $in: scope.organizationIds ?? [] } }
      },
    },
  },
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    name: p.string().length(100),
    slug: p.string().length(60).unique(),
    createdAt: p.datetime(3),
    /** Staff has switched it off; null while it goes on. */
    suspendedAt: p.datetime(3).nullable(),
    /** Why, as the customer reads it. */
    suspensionReason: p.string().length(500).nullable(),
  },
})

/** The tenant: owns tunnels, domains, members, plan and usage. */
export class Organization extends OrganizationSchema.class {}
OrganizationSchema.setClass(Organization)
