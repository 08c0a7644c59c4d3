import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

/** `ACME`: issued for the domain by an authority that was asked to. */
const certificateSources = ['UPLOADED', 'ACME'] as const
type CertificateSource = (typeof certificateSources)[number]

const CertificateSchema = defineEntity({
  name: 'Certificate',
  tableName: 'certificate',
  filters: tenantFilter,
  uniques: [{ name: 'certificate_of_domain', properties: ['domainId'] }],
  indexes: [{ name: 'certificate_expiry', properties: ['notAfter'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: p.uuid(),
    domainId: p.uuid(),
    source: p.enum(certificateSources).$type<CertificateSource>(),
    /** PEM, the domain's own certificate first. */
    chain: p.text(),
    /** Opens with the sealing key of this id alone, and for this organization and domain alone. */
    sealedPrivateKey: p.text(),
    sealingKeyId: p.string().length(64),
    /** SHA-256 of the domain's own certificate, lower-case hex. */
    fingerprint: p.string().length(64),
    serialNumber: p.string().length(64),
    issuer: p.string().length(200),
    names: p.array().columnType('text[]'),
    notBefore: p.datetime(),
    notAfter: p.datetime(),
    createdAt: p.datetime(),
    /** The member who gave it; null when the platform did. */
    createdBy: p.uuid().nullable(),
  },
})

/** The certificate of a custom domain, and its private key in a form that the database alone cannot read. */
export class Certificate extends CertificateSchema.class {}
CertificateSchema.setClass(Certificate)
