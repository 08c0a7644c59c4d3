import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { credentialProperties } from '../credential/credential-properties.ts'
import { credentialTriggers } from '../revocation/revoked-token.entity.ts'

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  filters: tenantFilter,
  indexes: [{ name: 'api_key_page', properties: ['organizationId', 'createdAt', 'id'] }],
  triggers: credentialTriggers('api_key', 'api-key'),
  properties: {
    ...credentialProperties(),
    /** What it may do, as bits in the order of the table of permissions. Its maker held all of it. */
    permissions: p.integer(),
    /** What it may ask of the public graph; null for as much as any key. */
    requestsPerMinute: p.integer().nullable(),
  },
})

/**
 * A partner's credential for the public graph and the REST paths. It belongs to the organization and outlives its maker's
 * membership; for a service account it may do no more than that. Revoking keeps the row: audit and lists still name it.
 */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey)
