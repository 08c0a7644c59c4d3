import { forkSystem } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import { countFailure, countSignIn } from '../abuse/guard-sign-in.ts'
import { becomePrincipal, type Context } from '../context.ts'
import { passSecondFactor } from '../second-factor/second-factor.ts'
import { User } from '../user/user.entity.ts'
import { foldEmail, foldPassword, passwordCharactersMax } from '../user/user.ts'
import { attemptLimits } from './attempts.ts'
import { endSignIn } from './end-sign-ins.ts'
import { parseRefreshToken } from './refresh-token.ts'
import { SignIn } from './sign-in.entity.ts'
import { completeSignIn, startSignIn, type SignedIn } from './start-sign-in.ts'

/** Starts a sign-in. An unknown email, a wrong password and one that cannot be any cost the same and answer the same. */
export async function signIn(
  context: Context,
  emailText: string,
  passwordText: string,
  code: string | null = null,
): Promise<SignedIn> {
  const { orm, attempts, passwords } = context
  const email = foldEmail(emailText)
  // Whoever signs in is nobody yet, so there is no organization to look through.
  const em = forkSystem(orm)
  const user = await em.findOne(User, { email })
  await countSignIn(context, email, user?.id ?? null)
  const password = foldPassword(passwordText)
  const possible = password.length <= passwordCharactersMax
  const right = await passwords.isRight(
    possible ? password : '',
    possible ? (user?.passwordHash ?? null) : null,
  )
  if (!user || !right) {
    await countFailure(context, user?.id ?? null)
    throw new SluiceError('SLUICE_SIGN_IN_FAILED')
  }
  await passSecondFactor(context, user, code)

  const started = await em.transactional((inside) => startSignIn(context, inside, user))
  const address = addressOf(context.visitorIp)
  await attempts.forget(attemptLimits.signInByEmailAndIp, `${email} ${address}`)
  return completeSignIn(context, user, started)
}

/** Ends the sign-in of whoever asks; with an access token that has expired, the one of the refresh cookie. */
export async function signOut(context: Context): Promise<boolean> {
  const { orm, principal, revocations } = context
  const signInId = principal.signInId ?? (await signInOfCookie(context))
  context.setRefreshToken(null)
  becomePrincipal(context)
  if (signInId === null) return true

  const ended = await forkSystem(orm).transactional((em) =>
    endSignIn(context, em, signInId, 'signed-out'),
  )
  if (ended) await revocations.publish('sign-in', signInId)
  return true
}

async function signInOfCookie({
  orm,
  refreshToken,
  refreshTokens,
}: Context): Promise<string | null> {
  const token = parseRefreshToken(refreshToken)
  if (!token) return null
  const found = await forkSystem(orm).findOne(SignIn, { id: token.signInId })
  if (!found || !refreshTokens.leadsTo(token, found.generation, found.refreshHash)) return null
  return found.id
}
