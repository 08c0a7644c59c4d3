import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'

const CustomRoleSchema = defineEntity({
  name: 'CustomRole',
  filters: tenantFilter,
  uniques: [{ name: 'custom_role_name', properties: ['organizationId', 'name'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    name: p.string().length(60),
    description: p.string().length(200),
    /** As bits, in the order of the table of permissions. */
    permissions: p.integer(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
  },
})

/** A role that an organization has made for itself. Whoever has it may do what it names, and nothing else. */
export class CustomRole extends CustomRoleSchema.class {}
CustomRoleSchema.setClass(CustomRole)
