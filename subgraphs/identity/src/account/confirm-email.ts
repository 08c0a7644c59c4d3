import { UniqueConstraintViolationException } from '@mikro-orm/core'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'

import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import type { MailLink } from '../mail/mail-link.entity.ts'
import { consumeLink, countLinkUse, voidLinks } from '../mail/mail-link.ts'
import { recordMail } from '../mail/mail.ts'
import { personOf } from '../organization/organization.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { inputInvalid } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { emailOf } from '../user/user.ts'
import { assertProved } from './assert-proved.ts'

/** Mails a link to the address of whoever asks. True also when it is confirmed already. */
export async function sendEmailVerification(context: Context): Promise<boolean> {
  const { orm, attempts, visitorIp: ip, now } = context
  const userId = personOf(context)
  await attempts.count(attemptLimits.mailByUser, userId)
  await forkSystem(orm).transactional(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId })
    if (user.emailVerifiedAt) return
    recordMail(em, { kind: 'verify-email', address: user.email, userId, ip, at: now() })
    await recordUserAct(em, { action: 'user.email-verification-asked', user, ip, at: now() })
    await em.flush()
  })
  context.wakeMail()
  return true
}

/**
 * Asks the new address to confirm, and tells the old one. Whether another account has the new one is told only to who
 * can read its mail.
 */
export async function changeEmail(context: Context, emailText: string): Promise<boolean> {
  const { orm, attempts, visitorIp: ip, now } = context
  const userId = personOf(context)
  await assertProved(context)
  await attempts.count(attemptLimits.mailByUser, userId)
  const address = emailOf(emailText)
  await forkSystem(orm).transactional(async (em) => {
    const at = now()
    const user = await em.findOneOrFail(User, { id: userId })
    if (user.email === address) throw inputInvalid('this is the address you have')
    recordMail(em, { kind: 'change-email', address, userId, ip, at })
    recordMail(em, { kind: 'email-change-asked', address: user.email, userId, ip, at })
    await recordUserAct(em, {
      action: 'user.email-change-asked',
      user,
      details: `to ${address}`,
      ip,
      at,
    })
    await em.flush()
  })
  context.wakeMail()
  return true
}

/** Uses a mailed link: its address is confirmed, or takes the place of the one before. Returns the address. */
export async function confirmEmail(context: Context, token: string): Promise<string> {
  await countLinkUse(context)
  const at = context.now()
  const email = await forkSystem(context.orm).transactional(async (em) => {
    const link = await consumeLink(em, token, ['verify-email', 'change-email'], at)
    const user = await em.findOneOrFail(User, { id: link.userId })
    if (link.purpose === 'change-email') await replaceEmail(context, em, user, link)
    else if (user.email !== link.email) throw new SluiceError('SLUICE_LINK_INVALID')
    else {
      user.emailVerifiedAt = at
      const ip = context.visitorIp
      await recordUserAct(em, { action: 'user.email-verified', user, details: user.email, ip, at })
    }
    await em.flush()
    return link.email
  })
  context.wakeMail()
  return email
}

async function replaceEmail(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  user: User,
  link: MailLink,
): Promise<void> {
  const at = now()
  const before = user.email
  user.email = link.email
  user.emailVerifiedAt = at
  try {
    await em.flush()
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) {
      throw new SluiceError('SLUICE_EMAIL_TAKEN', {}, { cause: error })
    }
    throw error
  }
  await voidLinks(em, user.id, at)
  recordMail(em, { kind: 'email-changed', address: before, userId: user.id, ip, at })
  const details = `${before} to ${link.email}`
  await recordUserAct(em, { action: 'user.email-changed', user, details, ip, at })
}
