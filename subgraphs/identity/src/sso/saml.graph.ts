import { X509Certificate } from 'node:crypto'

import { builder } from '../builder.ts'
import type { SamlKey } from './saml-key.entity.ts'
import { addSamlKey, findSamlKeys, fingerprintOf, removeSamlKey } from './saml-key.ts'
import { SsoConnectionType } from './sso.graph.ts'

const SsoCertificateType = builder.objectRef<string>('SsoCertificate').implement({
  description: 'A certificate that the identity provider signs with.',
  fields: (t) => ({
    fingerprint: t.string({
      description: 'SHA-256, in hexadecimal with colons.',
      resolve: (pem) => new X509Certificate(pem).fingerprint256,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'What it says of its end. An expired one still counts: what counts is that the provider uses it.',
      resolve: (pem) => new X509Certificate(pem).validToDate,
    }),
  }),
})

const SamlKeyType = builder.objectRef<SamlKey & { isSigning: boolean }>('SamlKey').implement({
  description: 'A key of ours for one SAML connection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the key.' }),
    certificate: t.exposeString('certificate', {
      description: 'Its certificate, as PEM, for the identity provider.',
    }),
    fingerprint: t.string({
      description: 'SHA-256 of the certificate, in hexadecimal with colons.',
      resolve: (key) => fingerprintOf(key),
    }),
    isSigning: t.exposeBoolean('isSigning', {
      description: 'Whether requests are signed with it; both of two are good to encrypt for.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the certificate expires.',
      resolve: ({ certificate }) => new X509Certificate(certificate).validToDate,
    }),
  }),
})

builder.objectFields(SsoConnectionType, (t) => ({
  certificates: t.field({
    type: [SsoCertificateType],
    description: 'Those of the SAML metadata.',
    resolve: ({ saml }) => [...(saml?.certificates ?? [])],
  }),
  signsRequests: t.exposeBoolean('signsRequests', {
    description: 'For SAML: sign-in requests are signed, whether the metadata wants it or not.',
  }),
  wantsSignedRequests: t.boolean({
    description: 'For SAML: the metadata wants sign-in requests signed, and so they are.',
    resolve: ({ saml }) => saml?.wantsSignedRequests === true,
  }),
  samlKeys: t.field({
    type: [SamlKeyType],
    description: 'For SAML: our keys, which our metadata shows; the first one signs.',
    resolve: async ({ id }, _args, { em }) =>
      (await findSamlKeys(em, id)).map((key, index) =>
        Object.assign(key, { isSigning: index === 0 }),
      ),
  }),
}))

const organizationArg = { required: true, description: 'The organization.' } as const

builder.mutationFields((t) => ({
  addSamlKey: t.field({
    type: SsoConnectionType,
    description:
      'Makes a second key for a SAML connection. The old one signs until it is removed; both are good to encrypt for.',
    args: { organizationId: t.arg.id(organizationArg) },
    resolve: (_root, { organizationId }, context) => addSamlKey(context, organizationId),
  }),
  removeSamlKey: t.field({
    type: SsoConnectionType,
    description: 'Removes one of two keys of a SAML connection; the other one signs from then on.',
    args: {
      organizationId: t.arg.id(organizationArg),
      id: t.arg.id({ required: true, description: 'The key.' }),
    },
    resolve: (_root, { organizationId, id }, context) => removeSamlKey(context, organizationId, id),
  }),
}))
