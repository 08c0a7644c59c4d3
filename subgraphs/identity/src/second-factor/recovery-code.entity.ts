import { defineEntity, p } from '@mikro-orm/core'

import { User } from '../user/user.entity.ts'

const RecoveryCodeSchema = defineEntity({
  name: 'RecoveryCode',
  uniques: [{ name: 'recovery_code_once', properties: ['userId', 'codeHash'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade'),
    /** SHA-256: a code has 78 random bits, so that nothing slower is needed. */
    codeHash: p.string().length(64).hidden(),
    usedAt: p.datetime(3).nullable(),
  },
})

/** Stands in for the authenticator app once, when it is lost. */
export class RecoveryCode extends RecoveryCodeSchema.class {}
RecoveryCodeSchema.setClass(RecoveryCode)
