import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { roles } from '@sluice/schema/permissions'

import { Organization } from '../organization/organization.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { User } from '../user/user.entity.ts'
import type { Data } from './resource.ts'

const ScimUserSchema = defineEntity({
  name: 'ScimUser',
  filters: tenantFilter,
  uniques: [{ name: 'scim_user_once', properties: ['organizationId', 'userId'] }],
  indexes: [
    {
      name: 'scim_user_name',
      expression:
        'create unique index "scim_user_name" on "identity"."scim_user" ("organization_id", lower("user_name"))',
    },
    { name: 'scim_user_external', properties: ['organizationId', 'externalId'] },
    { name: 'scim_user_page', properties: ['organizationId', 'createdAt', 'id'] },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    userName: p.string().length(320),
    externalId: p.string().length(320).nullable(),
    /** All other attributes that the provider wrote, by name. */
    data: p.json<Data>(),
    /** The account was made for this person by this organization: its name follows the provider. */
    madeAccount: p.boolean(),
    /** When the provider took the membership; null while they have it, and when somebody else has ended it. */
    suspendedAt: p.datetime(3).nullable(),
    /** The role they had then. */
    suspendedRole: p.enum(roles).nullable(),
    suspendedCustomRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('suspended_custom_role_id')
        .nullable()
        .deleteRule('set null')
        .index(),
    version: p.integer(),
    createdAt: p.datetime(3),
    changedAt: p.datetime(3),
  },
})

/** A person as an organization's identity provider knows them. Whether they are active is whether they are a member. */
export class ScimUser extends ScimUserSchema.class {}
ScimUserSchema.setClass(ScimUser)
