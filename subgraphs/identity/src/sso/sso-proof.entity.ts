import { defineEntity, p } from '@mikro-orm/core'

import { SignIn } from '../sign-in/sign-in.entity.ts'
import { SsoConnection } from './sso-connection.entity.ts'

const SsoProofSchema = defineEntity({
  name: 'SsoProof',
  uniques: [{ name: 'sso_proof_once', properties: ['signInId', 'connectionId'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    signInId: () => p.manyToOne(SignIn).mapToPk().joinColumn('sign_in_id').deleteRule('cascade'),
    connectionId: () =>
      p
        .manyToOne(SsoConnection)
        .mapToPk()
        .joinColumn('connection_id')
        .deleteRule('cascade')
        .index(),
    provedAt: p.datetime(3),
    /** From then on the organization is closed to the sign-in until it is proved again. */
    expiresAt: p.datetime(3),
    /** What signing out at the identity provider needs; sealed, for it names a person there. */
    sealedSession: p.text().hidden(),
    sealingKeyId: p.string().length(64),
  },
})

/** A sign-in has passed the single sign-on of an organization, and so may enter it for a while. */
export class SsoProof extends SsoProofSchema.class {}
SsoProofSchema.setClass(SsoProof)
