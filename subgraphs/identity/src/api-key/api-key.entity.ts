import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { credentialProperties } from '../credential/credential-properties.ts'
import { Organization } from '../organization/organization.entity.ts'
import { credentialTriggers } from '../revocation/revoked-token.entity.ts'
import { ServiceAccount } from '../service-account/service-account.entity.ts'
import { User } from '../user/user.entity.ts'

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  filters: tenantFilter,
  indexes: [{ name: 'api_key_page', properties: ['organizationId', 'createdAt', 'id'] }],
  triggers: credentialTriggers('api_key', 'api-key'),
  properties: {
    ...credentialProperties(),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    /** What it may do, as bits in the order of the table of permissions. Its maker held all of it. */
    permissions: p.integer(),
    /** What it may ask of the public graph; null for as much as any key. */
    requestsPerMinute: p.integer().nullable(),
    /** Who made it. It belongs to the organization and outlives their membership. */
    createdBy: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .joinColumn('created_by')
        .nullable()
        .deleteRule('set null')
        .index(),
    /** Whom it acts for: it may do no more than they may. Null when it stands for itself. */
    serviceAccountId: () =>
      p
        .manyToOne(ServiceAccount)
        .mapToPk()
        .joinColumn('service_account_id')
        .nullable()
        .deleteRule('set null')
        .index(),
  },
})

/** A partner's credential for the public graph and the REST paths. Revoking keeps the row: audit and lists still name it. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey)
