import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import { assertNotBlocked } from '../abuse/guard-sign-in.ts'
import type { AuditAction } from '../audit/audit.ts'
import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { consumeLink, countLinkUse, findLinkUser, voidLinks } from '../mail/mail-link.ts'
import { recordMail } from '../mail/mail.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { endSignInsOf } from '../sign-in/end-sign-ins.ts'
import { SignIn } from '../sign-in/sign-in.entity.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import { signInOf } from './assert-proved.ts'
import { hashOfNew } from './new-password.ts'
import { userWithPassword } from './prove.ts'

/**
 * Mails a link for a new password. Does the same for every address, known or not: one row. Whether there is an account
 * is found out later, when the mail is made, where nobody sees how long it takes.
 */
export async function requestPasswordReset(context: Context, emailText: string): Promise<boolean> {
  const { orm, attempts, visitorIp: ip, now } = context
  await assertNotBlocked(context)
  await attempts.count(attemptLimits.resetByIp, addressOf(ip))
  const address = emailOf(emailText)
  await attempts.count(attemptLimits.resetByEmail, address)
  const em = forkSystem(orm)
  recordMail(em, { kind: 'reset-password', address, userId: null, ip, at: now() })
  await em.flush()
  context.wakeMail()
  return true
}

/** Sets the password of whoever holds the link, and ends all their sign-ins. */
export async function resetPassword(
  context: Context,
  token: string,
  passwordText: string,
): Promise<boolean> {
  const { orm, now } = context
  await countLinkUse(context)
  // Looked at first: a made-up token costs no hash, and a refused password does not use up the link.
  const holder = await findLinkUser(forkSystem(orm), token, 'reset-password', now())
  const passwordHash = await hashOfNew(context, passwordText, holder.email)

  const ended = await forkSystem(orm).transactional(async (em) => {
    const at = now()
    const link = await consumeLink(em, token, ['reset-password'], at)
    const user = await em.findOneOrFail(User, { id: link.userId })
    if (user.email !== link.email) throw new SluiceError('SLUICE_LINK_INVALID')
    // Whoever opened the link reads this mailbox.
    user.emailVerifiedAt ??= at
    user.passwordHash = passwordHash
    await tellPasswordChanged(context, em, user, 'user.password-reset')
    return endSignInsOf(context, em, user, { reason: 'password-changed' })
  })
  await afterPasswordChange(context, ended)
  return true
}

/** Replaces the password of whoever asks and knows the present one, and ends their other sign-ins. */
export async function changePassword(
  context: Context,
  currentText: string,
  nextText: string,
): Promise<boolean> {
  const { orm, now } = context
  const signInId = signInOf(context)
  const known = await userWithPassword(context, currentText)
  const passwordHash = await hashOfNew(context, nextText, known.email)

  const ended = await forkSystem(orm).transactional(async (em) => {
    // Of two changes at once, the second knows a password that is no more.
    const changed = await em.nativeUpdate(
      User,
      { id: known.id, passwordHash: known.passwordHash },
      { passwordHash },
    )
    if (changed === 0) throw new SluiceError('SLUICE_PASSWORD_WRONG')
    const user = await em.findOneOrFail(User, { id: known.id })
    await em.nativeUpdate(SignIn, { id: signInId }, { provedAt: now() })
    await tellPasswordChanged(context, em, user, 'user.password-changed')
    return endSignInsOf(context, em, user, { reason: 'password-changed', except: signInId })
  })
  await afterPasswordChange(context, ended)
  return true
}

async function tellPasswordChanged(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  user: User,
  action: AuditAction,
): Promise<void> {
  const at = now()
  await voidLinks(em, user.id, at)
  recordMail(em, { kind: 'password-changed', address: user.email, userId: user.id, ip, at })
  await recordUserAct(em, { action, user, ip, at })
  await em.flush()
}

async function afterPasswordChange(context: Context, ended: readonly string[]): Promise<void> {
  context.wakeMail()
  for (const id of ended) await context.revocations.publish('sign-in', id)
}
