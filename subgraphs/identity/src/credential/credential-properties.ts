import { p } from '@mikro-orm/core'

import { Organization } from '../organization/organization.entity.ts'
import { ServiceAccount } from '../service-account/service-account.entity.ts'
import { User } from '../user/user.entity.ts'

/** Why a credential was revoked, as lists and the revoke list say. Rows keep the name: add, never rename. */
const revokeReasons = ['revoked', 'reported', 'replaced', 'owner-gone', 'disabled'] as const
export type RevokeReason = (typeof revokeReasons)[number]

/** What the rows of authtokens and API keys have in common. */
export const credentialProperties = () => ({
  id: p
    .uuid()
    .primary()
    .onCreate(() => crypto.randomUUID()),
  organizationId: () =>
    p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
  name: p.string().length(100),
  /** The first characters, to recognise it by. */
  prefix: p.string().length(16),
  /** As `hashOf` makes it. */
  secretHash: p.string().length(64).unique().hidden(),
  createdAt: p.datetime(3),
  /** Who made it; null once they have left. */
  createdBy: () =>
    p.manyToOne(User).mapToPk().joinColumn('created_by').nullable().deleteRule('set null').index(),
  /** Whom it acts for in place of its maker, or of itself. */
  serviceAccountId: () =>
    p
      .manyToOne(ServiceAccount)
      .mapToPk()
      .joinColumn('service_account_id')
      .nullable()
      .deleteRule('set null')
      .index(),
  /** From when it is void by itself; null when it never is. */
  expiresAt: p.datetime(3).nullable(),
  /** Addresses and CIDR blocks that it may be used from; none means from anywhere. */
  allowedIps: p.string().array().default([]),
  lastUsedAt: p.datetime(3).nullable(),
  lastUsedIp: p.string().length(64).nullable(),
  revokedAt: p.datetime(3).nullable(),
  revokedReason: p.enum(revokeReasons).nullable(),
  /** The one that a rotation has put in its place: it can be rotated once. */
  successorId: p.uuid().nullable(),
})
