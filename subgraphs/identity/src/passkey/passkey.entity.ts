import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'

const PasskeySchema = defineEntity({
  name: 'Passkey',
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    /** What the authenticator calls it, base64url. */
    credentialId: p.string().length(1400).unique(),
    /** COSE, base64url. */
    publicKey: p.text().hidden(),
    /** How often it was used, by its own count; stays 0 for those that are kept on several devices. */
    signCount: p.bigint('number'),
    /** How browsers reach it: `internal`, `hybrid`, `usb` … */
    transports: p.string().length(32).array(),
    /** It is kept on several devices, so that losing one loses nothing. */
    isBackedUp: p.boolean(),
    name: p.string().length(60),
    createdAt: p.datetime(3),
    lastUsedAt: p.datetime(3).nullable(),
  },
})

/** A key pair on somebody's device that signs them in (WebAuthn). We have the public half. */
export class Passkey extends PasskeySchema.class {}
PasskeySchema.setClass(Passkey)
