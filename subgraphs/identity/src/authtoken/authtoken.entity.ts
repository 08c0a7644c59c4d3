import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { authtokenScopes } from '@sluice/schema/permissions'

import { Organization } from '../organization/organization.entity.ts'
import { User } from '../user/user.entity.ts'

const AuthtokenSchema = defineEntity({
  name: 'Authtoken',
  filters: tenantFilter,
  indexes: [{ name: 'authtoken_page', properties: ['organizationId', 'createdAt', 'id'] }],
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
    /** SHA-256 of the whole authtoken. It has 190 random bits, so a slow hash would protect nothing. */
    secretHash: p.string().length(64).unique().hidden(),
    scopes: p.enum(authtokenScopes).array(),
    createdAt: p.datetime(3),
    /** The member it acts for: it can never do more than they may, and ends with their membership. */
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
    revokedAt: p.datetime(3).nullable(),
  },
})

/** The long-lived credential of a developer's agent. Revoking keeps the row: audit and lists still name it. */
export class Authtoken extends AuthtokenSchema.class {}
AuthtokenSchema.setClass(Authtoken)
