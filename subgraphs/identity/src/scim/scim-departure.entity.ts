import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'
import { User } from '../user/user.entity.ts'

const ScimDepartureSchema = defineEntity({
  name: 'ScimDeparture',
  filters: tenantFilter,
  uniques: [{ name: 'scim_departure_once', properties: ['organizationId', 'userId'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    at: p.datetime(3),
  },
})

/** An identity provider has deleted somebody, and nobody has taken them in since. */
export class ScimDeparture extends ScimDepartureSchema.class {}
ScimDepartureSchema.setClass(ScimDeparture)
