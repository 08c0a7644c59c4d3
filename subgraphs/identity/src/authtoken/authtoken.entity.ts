import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { authtokenScopes } from '@sluice/schema/permissions'

import { credentialProperties } from '../credential/credential-properties.ts'
import { credentialTriggers } from '../revocation/revoked-token.entity.ts'

const AuthtokenSchema = defineEntity({
  name: 'Authtoken',
  filters: tenantFilter,
  indexes: [{ name: 'authtoken_page', properties: ['organizationId', 'createdAt', 'id'] }],
  triggers: credentialTriggers('authtoken', 'authtoken'),
  properties: {
    ...credentialProperties(),
    scopes: p.enum(authtokenScopes).array(),
    /** When its maker was told that it expires soon. */
    expiryToldAt: p.datetime(3).nullable(),
  },
})

/**
 * The long-lived credential of a developer's agent. Without a service account it acts for its maker: it can never do more
 * than they may, and ends with their membership. Revoking keeps the row: audit and lists still name it.
 */
export class Authtoken extends AuthtokenSchema.class {}
AuthtokenSchema.setClass(Authtoken)
