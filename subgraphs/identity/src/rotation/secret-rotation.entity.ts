import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'
import { User } from '../user/user.entity.ts'

/** What can be rotated. Rows keep the name: add, never rename. */
const rotationKinds = ['authtoken', 'api-key', 'signing-key', 'internal-key'] as const
export type RotationKind = (typeof rotationKinds)[number]

const SecretRotationSchema = defineEntity({
  name: 'SecretRotation',
  tableName: 'secret_rotations',
  filters: tenantFilter,
  indexes: [
    { name: 'secret_rotations_page', properties: ['organizationId', 'at', 'id'] },
    { name: 'secret_rotations_open', properties: ['oldEndsAt'], where: 'finished_at is null' },
    { name: 'secret_rotations_successor', properties: ['successorId'] },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** Null for secrets of the platform. */
    organizationId: () =>
      p
        .manyToOne(Organization)
        .mapToPk()
        .joinColumn('organization_id')
        .nullable()
        .deleteRule('cascade'),
    kind: p.enum(rotationKinds),
    /** The one that was replaced, and the one that took its place: ids of rows, or of keys. */
    secretId: p.string().length(64),
    successorId: p.string().length(64),
    at: p.datetime(3),
    /** Who did it; null for the schedule. */
    by: () =>
      p.manyToOne(User).mapToPk().joinColumn('by').nullable().deleteRule('set null').index(),
    oldEndsAt: p.datetime(3),
    /** When the old one had ended. */
    finishedAt: p.datetime(3).nullable(),
    /** When the new one was first seen to work. */
    verifiedAt: p.datetime(3).nullable(),
  },
})

/** The ledger of rotations: what took the place of what, and whether it works. */
export class SecretRotation extends SecretRotationSchema.class {}
SecretRotationSchema.setClass(SecretRotation)
