import { builder } from '../builder.ts'
import { CustomDomainType } from '../domain/custom-domain.graph.ts'
import type { Certificate } from './certificate.entity.ts'
import {
  relayCertificate,
  removeDomainCertificate,
  setDomainCertificate,
  type RelayCertificate,
} from './certificate.ts'

const CertificateSource = builder.enumType('CertificateSource', {
  description: 'Where a certificate came from.',
  values: {
    UPLOADED: { description: 'A member brought it.' },
    ACME: { description: 'It was issued for the domain by itself.' },
  },
})

const DomainCertificateType = builder.objectRef<Certificate>('DomainCertificate').implement({
  tag: 'public',
  description: 'The certificate that relays show for a domain. Its private key never leaves.',
  fields: (t) => ({
    source: t.field({
      type: CertificateSource,
      description: 'Where it came from.',
      resolve: ({ source }) => source,
    }),
    fingerprint: t.exposeString('fingerprint', { description: 'Its SHA-256, in hex.' }),
    serialNumber: t.exposeString('serialNumber', { description: 'Its serial number, in hex.' }),
    issuer: t.exposeString('issuer', { description: 'Who issued it.' }),
    names: t.exposeStringList('names', { description: 'The names it is for.' }),
    validFrom: t.expose('notBefore', { type: 'DateTime', description: 'When it begins.' }),
    expiresAt: t.expose('notAfter', { type: 'DateTime', description: 'When it expires.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was set.' }),
  }),
})

builder.objectField(CustomDomainType, 'certificate', (t) =>
  t.field({
    type: DomainCertificateType,
    nullable: true,
    description: 'Its own certificate; null while relays show theirs.',
    resolve: ({ id }, _args, { loaders }) => loaders.certificateOfDomain.load(id),
  }),
)

const RelayCertificateType = builder.objectRef<RelayCertificate>('RelayCertificate').implement({
  description: 'What a relay needs to serve a custom domain over TLS.',
  fields: (t) => ({
    chain: t.exposeString('chain', { description: 'PEM, the domain’s own certificate first.' }),
    privateKey: t.exposeString('privateKey', { description: 'PEM.' }),
    fingerprint: t.exposeString('fingerprint', { description: 'SHA-256, in hex.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it expires.' }),
  }),
})

builder.queryField('relayCertificate', (t) =>
  t.field({
    type: RelayCertificateType,
    nullable: true,
    description: 'The certificate of a verified domain with its key. For relay keys only.',
    args: { domain: t.arg.string({ required: true, description: 'The domain.' }) },
    resolve: (_root, { domain }, context) => relayCertificate(context, domain),
  }),
)

builder.mutationFields((t) => ({
  setDomainCertificate: t.field({
    type: CustomDomainType,
    description: 'Sets the certificate of a verified domain, in place of the one before.',
    args: {
      id: t.arg.id({ required: true, description: 'The domain’s id.' }),
      chain: t.arg.string({
        required: true,
        description: 'PEM: the domain’s own certificate, then each one that signed the one before.',
      }),
      privateKey: t.arg.string({
        required: true,
        description: 'PEM: RSA or ECDSA, without a passphrase. It is kept sealed.',
      }),
    },
    resolve: (_root, args, context) => setDomainCertificate(context, args),
  }),
  removeDomainCertificate: t.field({
    type: CustomDomainType,
    description: 'Forgets the certificate of a domain.',
    args: { id: t.arg.id({ required: true, description: 'The domain’s id.' }) },
    resolve: (_root, { id }, context) => removeDomainCertificate(context, id),
  }),
}))
