import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { roles } from '@sluice/schema/permissions'

import { Organization } from '../organization/organization.entity.ts'
import { CustomRole } from '../role/custom-role.entity.ts'
import { User } from '../user/user.entity.ts'

const ServiceAccountSchema = defineEntity({
  name: 'ServiceAccount',
  filters: tenantFilter,
  uniques: [{ name: 'service_account_name', properties: ['organizationId', 'name'] }],
  checks: [
    {
      name: 'service_account_role',
      expression: `role <> 'OWNER' and (custom_role_id is null or role = 'VIEWER')`,
    },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    name: p.string().length(100),
    role: p.enum(roles),
    /** Decides instead of `role`, which is VIEWER then. Always one of the same organization. */
    customRoleId: () =>
      p
        .manyToOne(CustomRole)
        .mapToPk()
        .joinColumn('custom_role_id')
        .deleteRule('no action')
        .nullable()
        .index(),
    createdAt: p.datetime(3),
    createdBy: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .joinColumn('created_by')
        .nullable()
        .deleteRule('set null')
        .index(),
    /** Its credentials do nothing from then on; null while they are good. */
    disabledAt: p.datetime(3).nullable(),
  },
})

/** A program in an organization: nobody signs in as it, but authtokens and API keys act for it. */
export class ServiceAccount extends ServiceAccountSchema.class {}
ServiceAccountSchema.setClass(ServiceAccount)
