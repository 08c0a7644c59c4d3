import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import { authtokenScopes } from '@sluice/schema/permissions'

import { credentialProperties } from '../credential/credential-properties.ts'
import { Organization } from '../organization/organization.entity.ts'
import { credentialTriggers } from '../revocation/revoked-token.entity.ts'
import { ServiceAccount } from '../service-account/service-account.entity.ts'
import { User } from '../user/user.entity.ts'

const AuthtokenSchema = defineEntity({
  name: 'Authtoken',
  filters: tenantFilter,
  indexes: [{ name: 'authtoken_page', properties: ['organizationId', 'createdAt', 'id'] }],
  triggers: credentialTriggers('authtoken', 'authtoken'),
  properties: {
    ...credentialProperties(),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    scopes: p.enum(authtokenScopes).array(),
    /**
     * The member who made it. Without a service account it acts for them: it can never do more than they may, and ends
     * with their membership.
     */
    createdBy: () =>
      p
        .manyToOne(User)
        .mapToPk()
        .joinColumn('created_by')
        .nullable()
        .deleteRule('set null')
        .index(),
    /** Whom it acts for instead of its maker. */
    serviceAccountId: () =>
      p
        .manyToOne(ServiceAccount)
        .mapToPk()
        .joinColumn('service_account_id')
        .nullable()
        .deleteRule('set null')
        .index(),
    /** When its maker was told that it expires soon. */
    expiryToldAt: p.datetime(3).nullable(),
  },
})

/** The long-lived credential of a developer's agent. Revoking keeps the row: audit and lists still name it. */
export class Authtoken extends AuthtokenSchema.class {}
AuthtokenSchema.setClass(Authtoken)
