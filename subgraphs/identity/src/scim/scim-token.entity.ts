import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'
import { User } from '../user/user.entity.ts'

const ScimTokenSchema = defineEntity({
  name: 'ScimToken',
  filters: tenantFilter,
  indexes: [{ name: 'scim_token_page', properties: ['organizationId', 'createdAt'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    name: p.string().length(100),
    /** The first characters, to recognise it by. */
    prefix: p.string().length(16),
    /** SHA-256 of the whole token. It has 190 random bits, so a slow hash would protect nothing. */
    secretHash: p.string().length(64).unique().hidden(),
    createdAt: p.datetime(3),
    createdBy: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .joinColumn('created_by')
        .nullable()
        .deleteRule('set null')
        .index(),
    lastUsedAt: p.datetime(3).nullable(),
    lastUsedIp: p.string().length(64).nullable(),
    /** Set by a rotation: until then the old one works beside the new one. */
    expiresAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
})

/** With it an identity provider manages the people and groups of one organization. Revoking keeps the row. */
export class ScimToken extends ScimTokenSchema.class {}
ScimTokenSchema.setClass(ScimToken)
