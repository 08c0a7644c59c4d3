import { p } from '@mikro-orm/core'

/** Why a credential was revoked, as lists and the revoke list say. Rows keep the name: add, never rename. */
const revokeReasons = ['revoked', 'reported', 'replaced', 'owner-gone', 'disabled'] as const
export type RevokeReason = (typeof revokeReasons)[number]

/** What the rows of authtokens and API keys have in common. */
export const credentialProperties = () => ({
  id: p
    .uuid()
    .primary()
    .onCreate(() => crypto.randomUUID()),
  name: p.string().length(100),
  /** The first characters, to recognise it by. */
  prefix: p.string().length(16),
  /** As `hashOf` makes it. */
  secretHash: p.string().length(64).unique().hidden(),
  createdAt: p.datetime(3),
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
