import { defineEntity, p } from '@mikro-orm/core'

import { revocationTrigger, signInUntil } from '../revocation/revoked-token.entity.ts'
import { User } from '../user/user.entity.ts'

const SignInSchema = defineEntity({
  name: 'SignIn',
  triggers: [
    {
      name: 'sign_in_ended',
      timing: 'after',
      events: ['update'],
      body: revocationTrigger({
        condition: 'OLD.ended_at is null and NEW.ended_at is not null',
        kind: 'sign-in',
        id: 'NEW.id::text',
        at: 'NEW.ended_at',
        reason: `coalesce(NEW.end_reason, 'revoked')`,
        until: signInUntil,
      }),
    },
    {
      name: 'sign_in_deleted',
      timing: 'after',
      events: ['delete'],
      body: revocationTrigger({
        condition: 'OLD.ended_at is null and OLD.expires_at > now()',
        kind: 'sign-in',
        id: 'OLD.id::text',
        at: 'clock_timestamp()',
        reason: `'owner-gone'`,
        until: signInUntil,
      }),
    },
  ],
  properties: {
    /** `sid` of the access tokens, and the first part of the refresh tokens. */
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    userId: () => p.manyToOne(User).mapToPk().joinColumn('user_id').deleteRule('cascade').index(),
    startedAt: p.datetime(3),
    ip: p.string().length(64),
    /** The address of the last refresh. */
    lastIp: p.string().length(64),
    /** What the browser calls itself. */
    userAgent: p.string().length(300),
    /** When they last showed that it is them: by signing in, or by their password later. */
    provedAt: p.datetime(3),
    /** Started by the single sign-on of an organization: it enters that one alone, and is nobody elsewhere. */
    ssoOnly: p.boolean().default(false),
    /** Rises by one with each refresh: the number of the only refresh token that is good. */
    generation: p.integer(),
    /** SHA-256 of that token's secret. */
    refreshHash: p.string().length(64).hidden(),
    /** The number of the token that the present one took the place of; null before the first refresh. */
    replacedGeneration: p.integer().nullable(),
    /** When an access token that came with the present refresh token was first used: the answer has arrived. */
    arrivedAt: p.datetime(3).nullable(),
    refreshedAt: p.datetime(3),
    /** Moves with each refresh, but never past the longest life of a sign-in. */
    expiresAt: p.datetime(3).index(),
    endedAt: p.datetime(3).nullable(),
    endReason: p.enum(['signed-out', 'reused', 'revoked', 'password-changed'] as const).nullable(),
  },
})

/** A member's console sign-in: one row from signing in until signing out, however often it is refreshed. */
export class SignIn extends SignInSchema.class {}
SignInSchema.setClass(SignIn)
