import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'

const ScimCallSchema = defineEntity({
  name: 'ScimCall',
  filters: tenantFilter,
  indexes: [{ name: 'scim_call_page', properties: ['organizationId', 'at', 'id'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    /** The name of the token it came with, as it was then. */
    tokenName: p.string().length(100),
    method: p.string().length(8),
    /** Below `/scim/v2`, with the query, cut. */
    path: p.string().length(300),
    status: p.integer(),
    /** Why it was refused; null for what was done. */
    detail: p.string().length(500).nullable(),
    at: p.datetime(3),
  },
})

/** One call of an identity provider, so that people can see what it asks and why it is refused. Only the last are kept. */
export class ScimCall extends ScimCallSchema.class {}
ScimCallSchema.setClass(ScimCall)
