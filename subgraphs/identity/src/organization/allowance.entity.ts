import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const AllowanceSchema = defineEntity({
  name: 'Allowance',
  tableName: 'allowance',
  filters: tenantFilter,
  properties: {
    organizationId: p.uuid().primary(),
    maxMembers: p.integer(),
  },
})

/** How many members an organization may have, told by billing. */
export class Allowance extends AllowanceSchema.class {}
AllowanceSchema.setClass(Allowance)
