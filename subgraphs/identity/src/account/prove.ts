import { forkSystem } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { passSecondFactor } from '../second-factor/second-factor.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { User } from '../user/user.entity.ts'
import { foldPassword, passwordCharactersMax } from '../user/user.ts'
import { signInOf } from './assert-proved.ts'

/** Proves as a sign-in would that it is still the same person at the keyboard. */
export async function reauthenticate(
  context: Context,
  password: string,
  code: string | null = null,
): Promise<boolean> {
  const { orm, visitorIp: ip, now } = context
  const signInId = signInOf(context)
  const user = await userWithPassword(context, password)
  await passSecondFactor(context, user, code)
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
  if (!possible || !(await passwords.isRight(password, user.passwordHash ?? null))) {
    throw new SluiceError('SLUICE_PASSWORD_WRONG')
  }
  await attempts.forget(attemptLimits.passwordByUser, userId)
  return user
}
