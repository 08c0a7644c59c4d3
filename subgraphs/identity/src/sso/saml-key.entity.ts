import { defineEntity, p } from '@mikro-orm/core'

import { SsoConnection } from './sso-connection.entity.ts'

const SamlKeySchema = defineEntity({
  name: 'SamlKey',
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    connectionId: () =>
      p
        .manyToOne(SsoConnection)
        .mapToPk()
        .joinColumn('connection_id')
        .deleteRule('cascade')
        .index(),
    /** PKCS 8 as PEM, sealed: only this server ever has it. */
    sealedPrivateKey: p.text().hidden(),
    sealingKeyId: p.string().length(64).index(),
    /** Self-signed, as PEM: identity providers look at the key in it. */
    certificate: p.text(),
    createdAt: p.datetime(3),
  },
})

/** A key of ours for one SAML connection. The oldest signs, all of them open: a new one can be made known before it is used. */
export class SamlKey extends SamlKeySchema.class {}
SamlKeySchema.setClass(SamlKey)
