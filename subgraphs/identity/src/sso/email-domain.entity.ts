import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'

const emailDomainStatuses = ['PENDING', 'VERIFIED'] as const

const EmailDomainSchema = defineEntity({
  name: 'EmailDomain',
  filters: tenantFilter,
  uniques: [
    { name: 'email_domain_once', properties: ['organizationId', 'domain'] },
    // Several organizations may try, one can prove: the index decides, not a read before the write.
    { name: 'email_domain_verified_once', properties: ['domain'], where: { status: 'VERIFIED' } },
  ],
  indexes: [
    { name: 'email_domain_due', properties: ['nextCheckAt'], where: "status = 'VERIFIED'" },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    /** Lower case, IDNA as `xn--`, no trailing dot. */
    domain: p.string().length(253),
    /** What the TXT record must hold; known to this organization only. */
    token: p.string().length(64),
    status: p.enum(emailDomainStatuses),
    createdAt: p.datetime(3),
    verifiedAt: p.datetime(3).nullable(),
    lastCheckedAt: p.datetime(3).nullable(),
    lastError: p.string().length(500).nullable(),
    /** When its record was first missed; null while it is there, and when nothing is proven. */
    missingSince: p.datetime(3).nullable(),
    /** When DNS is asked about the proven domain again; also the lease of whoever asks now. */
    nextCheckAt: p.datetime(3).nullable(),
  },
})

/** A domain whose addresses belong to the people of an organization, once DNS has proven it. */
export class EmailDomain extends EmailDomainSchema.class {}
EmailDomainSchema.setClass(EmailDomain)
