import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const domainStatuses = ['PENDING', 'VERIFIED'] as const
const tlsStatuses = ['VALID', 'EXPIRING', 'EXPIRED', 'MISMATCH', 'UNREACHABLE'] as const
export type TlsStatus = (typeof tlsStatuses)[number]

const CustomDomainSchema = defineEntity({
  name: 'CustomDomain',
  tableName: 'custom_domain',
  filters: tenantFilter,
  uniques: [
    { name: 'custom_domain_once', properties: ['organizationId', 'domain'] },
    // Several organizations may try, one can prove: the index decides, not a read before the write.
    {
      name: 'custom_domain_verified_once',
      properties: ['domain'],
      where: { status: 'VERIFIED' },
    },
  ],
  indexes: [
    { name: 'custom_domain_tunnel', properties: ['tunnelId'] },
    { name: 'custom_domain_dns_due', properties: ['nextDnsCheckAt'] },
    { name: 'custom_domain_tls_due', properties: ['nextTlsProbeAt'] },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: p.uuid(),
    /** Lower case, IDNA as `xn--`, no trailing dot. */
    domain: p.string().length(253),
    /** Who added it, or whose credential did; null of a service account. */
    addedBy: p.uuid().nullable().index(),
    /** What the TXT record must hold; known to this organization only. */
    token: p.string().length(64),
    status: p
      .enum(domainStatuses)
      .onCreate(() => 'PENDING' as const)
      .$type<(typeof domainStatuses)[number]>(),
    createdAt: p.datetime().onCreate(() => new Date()),
    verifiedAt: p.datetime().nullable(),
    tunnelId: p.uuid().nullable(),

    lastCheckedAt: p.datetime().nullable(),
    lastError: p.string().length(500).nullable(),
    /** Null while it is not known: never asked, or DNS did not answer. */
    txtFound: p.boolean().nullable(),
    cnameFound: p.boolean().nullable(),
    dnsChecks: p.integer().onCreate(() => 0),
    /** Null when it is not checked by itself: verified, or pending for too long. */
    nextDnsCheckAt: p.datetime().nullable(),

    tlsStatus: p.enum(tlsStatuses).nullable().$type<TlsStatus | null>(),
    tlsExpiresAt: p.datetime().nullable(),
    tlsIssuer: p.string().length(200).nullable(),
    tlsError: p.string().length(500).nullable(),
    tlsCheckedAt: p.datetime().nullable(),
    /** Null until verified. */
    nextTlsProbeAt: p.datetime().nullable(),
  },
})

/** A customer's own DNS name in one organization. Pending until its owner has set the TXT record. */
export class CustomDomain extends CustomDomainSchema.class {
  isVerified(): boolean {
    return this.status === 'VERIFIED'
  }
}
CustomDomainSchema.setClass(CustomDomain)
