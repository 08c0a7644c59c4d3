import { defineEntity, p } from '@mikro-orm/core'

import { SignIn } from '../sign-in/sign-in.entity.ts'
import { User } from '../user/user.entity.ts'

const ImpersonationSchema = defineEntity({
  name: 'Impersonation',
  indexes: [
    { name: 'impersonation_going', properties: ['expiresAt'], where: 'ended_at is null' },
    { name: 'impersonation_staff', properties: ['staffId', 'startedAt'] },
  ],
  properties: {
    /** `sid` of its access token, as if it were a sign-in. */
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** Whom the member of staff acts as. */
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    staffId: () => p.manyToOne(User).mapToPk().joinColumn('staff_id').deleteRule('cascade'),
    /** Ends with this sign-in of theirs. */
    staffSignInId: () =>
      p.manyToOne(SignIn).mapToPk().joinColumn('staff_sign_in_id').deleteRule('cascade').index(),
    reason: p.string().length(500),
    ticket: p.string().length(100).nullable(),
    /** Whether anything may be changed at all. */
    mayChange: p.boolean(),
    ip: p.string().length(64),
    startedAt: p.datetime(3),
    expiresAt: p.datetime(3),
    endedAt: p.datetime(3).nullable(),
  },
})

/** A member of staff acting as a customer, for a reason and a time. */
export class Impersonation extends ImpersonationSchema.class {}
ImpersonationSchema.setClass(Impersonation)
