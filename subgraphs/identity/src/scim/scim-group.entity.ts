import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { roles } from '@sluice/schema/permissions'

import { Organization } from '../organization/organization.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { ScimUser } from './scim-user.entity.ts'

const ScimGroupSchema = defineEntity({
  name: 'ScimGroup',
  filters: tenantFilter,
  indexes: [
    {
      name: 'scim_group_name',
      expression:
        'create unique index "scim_group_name" on "identity"."scim_group" ("organization_id", lower("display_name"))',
    },
    { name: 'scim_group_page', properties: ['organizationId', 'createdAt', 'id'] },
  ],
  checks: [{ name: 'scim_group_role', expression: `role is null or role <> 'OWNER'` }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    displayName: p.string().length(320),
    externalId: p.string().length(320).nullable(),
    /** What its people may do in Sluice; null for a group that says nothing about it. */
    role: p.enum(roles).nullable(),
    /** Decides instead of `role`, which is VIEWER then. */
    customRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('custom_role_id')
        .nullable()
        .deleteRule('no action')
        .index(),
    version: p.integer(),
    createdAt: p.datetime(3),
    changedAt: p.datetime(3),
  },
})

/** A group of the identity provider. Somebody who looks after single sign-on can give it a role. */
export class ScimGroup extends ScimGroupSchema.class {}
ScimGroupSchema.setClass(ScimGroup)

const ScimGroupMemberSchema = defineEntity({
  name: 'ScimGroupMember',
  filters: tenantFilter,
  properties: {
    groupId: () =>
      p.manyToOne(ScimGroup).mapToPk().joinColumn('group_id').primary().deleteRule('cascade'),
    scimUserId: () =>
      p
        .manyToOne(ScimUser)
        .mapToPk()
        .joinColumn('scim_user_id')
        .primary()
        .deleteRule('cascade')
        .index(),
    organizationId: () =>
      p
        .manyToOne(Organization)
        .mapToPk()
        .joinColumn('organization_id')
        .deleteRule('cascade')
        .index(),
  },
})

export class ScimGroupMember extends ScimGroupMemberSchema.class {}
ScimGroupMemberSchema.setClass(ScimGroupMember)
