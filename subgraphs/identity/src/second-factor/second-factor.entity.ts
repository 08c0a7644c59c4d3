import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'

const SecondFactorSchema = defineEntity({
  name: 'SecondFactor',
  properties: {
    userId: () => p.manyToOne(User).mapToPk().primary().joinColumn('user_id').deleteRule('cascade'),
    /** The secret of the codes (RFC 6238), sealed for this user. */
    sealedSecret: p.text().hidden(),
    sealingKeyId: p.string().length(64),
    createdAt: p.datetime(3),
    /** When a first code proved that the app has the secret; until then signing in needs none. */
    confirmedAt: p.datetime(3).nullable(),
    /** The 30-second step of the last code that was taken: none is good twice. */
    lastStep: p.integer().nullable(),
  },
})

/** The codes of an authenticator app, which a sign-in needs beside the password. */
export class SecondFactor extends SecondFactorSchema.class {}
SecondFactorSchema.setClass(SecondFactor)
