import type { Counted } from '@sluice/kit/attempts'
import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { networkOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'
import { Secret, TOTP } from 'otpauth'

import { countFailure, isKnownNetwork } from '../abuse/guard-sign-in.ts'
import { assertProved } from '../account/assert-proved.ts'
import type { AuditAction } from '../audit/audit.ts'
import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import type { MailKind } from '../mail/mail.entity.ts'
import { recordMail } from '../mail/mail.ts'
import { personOf } from '../organization/organization.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import type { User } from '../user/user.entity.ts'
import { lockUser } from '../user/user.ts'
import { RecoveryCode } from './recovery-code.entity.ts'
import { replaceRecoveryCodes, takeRecoveryCode } from './recovery-code.ts'
import { SecondFactor } from './second-factor.entity.ts'

const secretBytes = 20
const stepSeconds = 30
/** A code is taken one step early or late: clocks differ, and typing takes time. */
const stepsOff = 1
const codeForm = /^\d{6}$/

/** What an authenticator app needs, shown once. */
export interface TotpSetup {
  secret: string
  uri: string
}

/** Makes a secret for an authenticator app. It counts once `confirmSecondFactor` has seen a code of it. */
export async function startSecondFactor(context: Context): Promise<TotpSetup> {
  const { orm, sealer, now } = context
  await assertProved(context)
  const userId = personOf(context)
  const secret = new Secret({ size: secretBytes })
  const { sealed: sealedSecret, sealingKeyId } = sealer.seal(secret.base32, ownerOf(userId))
  const user = await forkSystem(orm).transactional(async (em) => {
    const found = await lockUser(em, userId)
    if (await isSecondFactorOn(em, userId)) throw new SluiceError('SLUICE_SECOND_FACTOR_ON')
    const row = { userId, sealedSecret, sealingKeyId, createdAt: now(), confirmedAt: null }
    await em.upsert(SecondFactor, { ...row, lastStep: null })
    await recordFor(context, em, found, 'user.second-factor-started')
    return found
  })
  return { secret: secret.base32, uri: totpOf(secret.base32, context, user.email).toString() }
}

/** Turns the second factor on with a first code of the app. Answers the recovery codes, which nobody sees again. */
export async function confirmSecondFactor(context: Context, code: string): Promise<string[]> {
  const { orm, attempts, now } = context
  await assertProved(context)
  const userId = personOf(context)
  await attempts.count(attemptLimits.codeByUser, userId)
  const codes = await forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    const factor = await em.findOne(SecondFactor, { userId, confirmedAt: null })
    if (!factor) throw new SluiceError('SLUICE_SECOND_FACTOR_OFF')
    if (!(await takeCode(context, em, factor, code))) throw new SluiceError('SLUICE_CODE_WRONG')
    await em.nativeUpdate(SecondFactor, { userId }, { confirmedAt: now() })
    await recordFor(context, em, user, 'user.second-factor-on', 'second-factor-on')
    return replaceRecoveryCodes(em, userId)
  })
  context.wakeMail()
  return codes
}

/** Turns the second factor off and forgets its secret and recovery codes. */
export async function removeSecondFactor(context: Context): Promise<boolean> {
  const { orm } = context
  await assertProved(context)
  const userId = personOf(context)
  await forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    const wasOn = await isSecondFactorOn(em, userId)
    await em.nativeDelete(RecoveryCode, { userId })
    await em.nativeDelete(SecondFactor, { userId })
    if (wasOn) await recordFor(context, em, user, 'user.second-factor-off', 'second-factor-off')
  })
  context.wakeMail()
  return true
}

/** New recovery codes in place of all before. */
export async function renewRecoveryCodes(context: Context): Promise<string[]> {
  const { orm } = context
  await assertProved(context)
  const userId = personOf(context)
  return forkSystem(orm).transactional(async (em) => {
    const user = await lockUser(em, userId)
    if (!(await isSecondFactorOn(em, userId))) throw new SluiceError('SLUICE_SECOND_FACTOR_OFF')
    await recordFor(context, em, user, 'user.recovery-codes-renewed')
    return replaceRecoveryCodes(em, userId)
  })
}

/** The second factor of whoever asks, or null while it is off. */
export async function findSecondFactor(
  context: Context,
): Promise<{ confirmedAt: Date; recoveryCodesLeft: number } | null> {
  const userId = personOf(context)
  const em = forkSystem(context.orm)
  const factor = await em.findOne(SecondFactor, { userId })
  if (!factor?.confirmedAt) return null
  const recoveryCodesLeft = await em.count(RecoveryCode, { userId, usedAt: null })
  return { confirmedAt: factor.confirmedAt, recoveryCodesLeft }
}

/**
 * Lets a user pass whose password was right. With a second factor it takes a code of the app or a recovery code, once:
 * SLUICE_CODE_NEEDED without one, SLUICE_CODE_WRONG for any other.
 */
export async function passSecondFactor(
  context: Context,
  user: User,
  code: string | null,
): Promise<void> {
  const { orm, attempts, now } = context
  const factor = await forkSystem(orm).findOne(SecondFactor, { userId: user.id })
  if (!factor?.confirmedAt) return
  if (!code) throw new SluiceError('SLUICE_CODE_NEEDED')
  // Whoever gets here knows the password: guesses count together, from wherever they come.
  const counted = await codeWindowOf(context, user.id)
  await attempts.countAll([counted])
  const passed = await forkSystem(orm).transactional(async (em) => {
    if (await takeCode(context, em, factor, code)) return true
    if (!(await takeRecoveryCode(em, user.id, code, now()))) return false
    await recordFor(context, em, user, 'user.recovery-code-used', 'recovery-code-used')
    const seen = { kind: 'recovery-code-used', subject: user.id, userId: user.id } as const
    context.anomalies.report({ ...seen, ip: context.visitorIp })
    return true
  })
  if (!passed) {
    await countFailure(context, user.id)
    throw new SluiceError('SLUICE_CODE_WRONG')
  }
  context.wakeMail()
  await attempts.forget(...counted)
}

/** Guesses from elsewhere must not keep somebody out who is where they always are. */
async function codeWindowOf(context: Context, userId: string): Promise<Counted> {
  const known = await isKnownNetwork(context, userId)
  if (!known) return [attemptLimits.codeByUser, userId]
  return [attemptLimits.codeByUserAndNetwork, `${userId} ${networkOf(context.visitorIp)}`]
}

/** Takes a code of the app. The row decides: a step that was used, or one before it, is not taken again. */
async function takeCode(
  context: Context,
  em: EntityManager,
  { userId, sealedSecret, sealingKeyId }: SecondFactor,
  text: string,
): Promise<boolean> {
  const token = text.replaceAll(/\s/g, '')
  if (!codeForm.test(token)) return false
  const timestamp = context.now().getTime()
  const secret = context.sealer.open({ sealed: sealedSecret, sealingKeyId }, ownerOf(userId))
  const off = totpOf(secret, context).validate({ token, timestamp, window: stepsOff })
  if (off === null) return false
  const step = Math.floor(timestamp / 1000 / stepSeconds) + off
  const later = { userId, $or: [{ lastStep: null }, { lastStep: { $lt: step } }] }
  return (await em.nativeUpdate(SecondFactor, later, { lastStep: step })) > 0
}

function totpOf(secret: string, { consoleOrigin }: Context, label = ''): TOTP {
  const issuer = `Sluice ${new URL(consoleOrigin).hostname}`
  return new TOTP({ issuer, label, secret: Secret.fromBase32(secret), period: stepSeconds })
}

export async function isSecondFactorOn(em: EntityManager, userId: string): Promise<boolean> {
  return (await em.count(SecondFactor, { userId, confirmedAt: { $ne: null } })) > 0
}

async function recordFor(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  user: User,
  action: AuditAction,
  kind: MailKind | null = null,
): Promise<void> {
  const at = now()
  if (kind) recordMail(em, { kind, address: user.email, userId: user.id, ip, at })
  await recordUserAct(em, { action, user, ip, at })
  await em.flush()
}

/** Whose a sealed secret is: moved to another row it does not open. */
export function ownerOf(userId: string): string {
  return `second-factor|${userId}`
}
