import { defineEntity, p } from '@mikro-orm/core'

const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    /** `kid` in the header of what it signs. */
    id: p.string().length(64).primary(),
    /** The public half: `x` of its JWK. */
    publicKey: p.string().length(64),
    /** The private half, sealed under a key that is made of the environment's. */
    sealed: p.string().length(200).hidden(),
    sealingKeyId: p.string().length(64),
    createdAt: p.datetime(3),
    /** From when it signs, once everybody can have read its public half; null until that is settled. */
    activeFrom: p.datetime(3).nullable(),
    /** Until when its public half is shown, once another has taken its place. */
    endsAt: p.datetime(3).nullable(),
  },
})

/** A key that a rotation has made. Those of the environment came before it, and open what is sealed here. */
export class SigningKey extends SigningKeySchema.class {}
SigningKeySchema.setClass(SigningKey)
