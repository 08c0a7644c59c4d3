import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { roles } from '@sluice/schema/permissions'

import { Organization } from '../organization/organization.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { User } from '../user/user.entity.ts'

const InvitationSchema = defineEntity({
  name: 'Invitation',
  filters: tenantFilter,
  uniques: [
    {
      name: 'invitation_once',
      properties: ['organizationId', 'email'],
      where: 'accepted_at is null and revoked_at is null',
    },
  ],
  indexes: [{ name: 'invitation_page', properties: ['organizationId', 'createdAt', 'id'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    /** As `emailOf` makes it. */
    email: p.string().length(254),
    role: p.enum(roles),
    customRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('custom_role_id')
        .deleteRule('no action')
        .nullable()
        .index(),
    /** Whose rights it stands on: who sent it last. */
    invitedBy: () =>
      p.manyToOne(User).mapToPk().joinColumn('invited_by').deleteRule('cascade').index(),
    createdAt: p.datetime(3),
    sentAt: p.datetime(3),
    expiresAt: p.datetime(3),
    /** SHA-256 of the token in the mail sent last; null until it is sent. */
    tokenHash: p.string().length(64).unique().hidden().nullable(),
    acceptedAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
})

/** An offer to join an organization, for whoever reads the mail of an address. It is good once. */
export class Invitation extends InvitationSchema.class {}
InvitationSchema.setClass(Invitation)
