import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { signInTokenSeconds } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'

import { watchSignIn } from '../anomaly/watch-sign-in.ts'
import { recordAct } from '../audit/audit.ts'
import { recordUserAct } from '../audit/user-act.ts'
import { principalOfSignIn } from '../authenticate/principal-of.ts'
import { becomePrincipal, type Context } from '../context.ts'
import { assertNotSuspended } from '../staff/suspension.ts'
import type { User } from '../user/user.entity.ts'
import { formatRefreshToken, refreshHashOf, type RefreshToken } from './refresh-token.ts'
import { SignIn } from './sign-in.entity.ts'

const dayMs = 24 * 60 * 60_000
/** A sign-in that is not used ends after this. */
export const signInIdleMs = 30 * dayMs
/** Every sign-in ends after this. */
export const signInLifeMs = 90 * dayMs

/** What signing in answers: the refresh token travels in a cookie, where no script reads it. */
export interface SignedIn {
  accessToken: string
  expiresAt: Date
  user: User
}

export interface Started {
  signIn: SignIn
  refreshToken: RefreshToken
}

/** Adds a sign-in of the user to the unit of work; `completeSignIn` hands it out once it is committed. */
export async function startSignIn(
  context: Context,
  em: EntityManager,
  user: User,
  /** How they showed that it is them, where it was not by password: `with Google`. */
  by?: string,
  /** The organization whose single sign-on it is: the sign-in enters no other, and is no proof of whose account it is. */
  only?: string,
): Promise<Started> {
  const { refreshTokens, visitorIp, userAgent, now } = context
  assertNotSuspended(user)
  await watchSignIn(context, em, user.id)
  const at = now()
  const id = crypto.randomUUID()
  const refreshToken = refreshTokens.first(id)
  const signIn = em.create(SignIn, {
    id,
    userId: user.id,
    startedAt: at,
    ip: visitorIp,
    lastIp: visitorIp,
    userAgent,
    provedAt: only === undefined ? at : new Date(0),
    ssoOnly: only !== undefined,
    generation: refreshToken.generation,
    refreshHash: refreshHashOf(refreshToken.secret),
    replacedGeneration: null,
    arrivedAt: null,
    refreshedAt: at,
    expiresAt: new Date(at.getTime() + signInIdleMs),
    endedAt: null,
    endReason: null,
  })
  em.persist(signIn)
  if (only === undefined) {
    const details = by === undefined ? {} : { details: by }
    const act = { action: 'sign-in.started', user, signInId: id, ip: visitorIp, at } as const
    await recordUserAct(em, { ...act, ...details })
  } else {
    recordAct(em, {
      action: 'sign-in.started',
      actor: user,
      organizationId: only,
      target: { type: 'sign-in', id },
      details: 'by single sign-on',
      ip: visitorIp,
      at,
    })
  }
  return { signIn, refreshToken }
}

/** Sets the cookie, makes the user the principal of the rest of the request, and issues the access token. */
export async function completeSignIn(
  context: Context,
  user: User,
  { signIn, refreshToken }: Started,
): Promise<SignedIn> {
  const { orm, accessTokens, now } = context
  assertNotSuspended(user)
  const principal = await principalOfSignIn(
    forkSystem(orm),
    { userId: user.id, signInId: signIn.id },
    now(),
  )
  if (!principal) throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const { text: accessToken, expiresAt } = await accessTokens.issue(
    user.id,
    signIn.id,
    signInTokenSeconds,
    refreshToken.generation,
  )
  becomePrincipal(context, principal)
  context.setRefreshToken({ text: formatRefreshToken(refreshToken), expiresAt: signIn.expiresAt })
  return { accessToken, expiresAt, user }
}
