import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { User } from '../user/user.entity.ts'
import { foldPassword, passwordCharactersMax } from '../user/user.ts'

/** For so long after a proof that it is really them, somebody may change what guards their account. */
export const proofLifeMs = 10 * 60_000

/** Throws SLUICE_REAUTHENTICATION_NEEDED unless whoever asks has proved lately who they are. */
export async function assertProved(context: Context): Promise<void> {
  const { orm, now } = context
  const signInId = signInOf(context)
  const signIn = await forkSystem(orm).findOne(SignIn, { id: signInId, endedAt: null })
  if (!signIn) throw new SluiceError('SLUICE_UNAUTHENTICATED')
  if (now().getTime() - signIn.provedAt.getTime() > proofLifeMs) {
    throw new SluiceError('SLUICE_REAUTHENTICATION_NEEDED')
  }
}

/** Proves with the password that it is still the same person at the keyboard. */
export async function reauthenticate(context: Context, password: string): Promise<boolean> {
  const { orm, visitorIp: ip, now } = context
  const signInId = signInOf(context)
  const user = await userWithPassword(context, password)
  await forkSystem(orm).transactional(async (em) => {
    const at = now()
    await em.nativeUpdate(SignIn, { id: signInId, endedAt: null }, { provedAt: at })
    await recordUserAct(em, { action: 'sign-in.proved', user, signInId, ip, at })
    await em.flush()
  })
  return true
}

/** Whoever asks, if this is their password. Guesses are counted, from wherever they come. */
export async function userWithPassword(context: Context, passwordText: string): Promise<User> {
  const { orm, attempts, passwords } = context
  const userId = personOf(context)
  await attempts.count(attemptLimits.passwordByUser, userId)
  const user = await forkSystem(orm).findOneOrFail(User, { id: userId })
  const password = foldPassword(passwordText)
  const possible = password.length <= passwordCharactersMax
  if (!possible || !(await passwords.isRight(password, user.passwordHash))) {
    throw new SluiceError('SLUICE_PASSWORD_WRONG')
  }
  await attempts.forget(attemptLimits.passwordByUser, userId)
  return user
}

/** The sign-in of the person who asks. */
export function signInOf(context: Context): string {
  personOf(context)
  const { signInId } = context.principal
  if (signInId === null) throw new SluiceError('SLUICE_FORBIDDEN')
  return signInId
}
