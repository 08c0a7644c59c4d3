import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { recordUserAct } from '../audit/user-act.ts'
import type { Context } from '../context.ts'
import { personOf } from '../organization/organization.ts'
import { User } from '../user/user.entity.ts'
import { isSsoSignIn } from './own-sign-in.ts'
import { SignIn } from './sign-in.entity.ts'

type EndReason = NonNullable<SignIn['endReason']>

/** Ends a sign-in that has not ended. Returns whether it did: of two at once, one. */
export async function endSignIn(
  { visitorIp: ip, now }: Context,
  em: EntityManager,
  signInId: string,
  endReason: EndReason,
): Promise<boolean> {
  const at = now()
  const ended = await em.nativeUpdate(
    SignIn,
    { id: signInId, endedAt: null },
    { endedAt: at, endReason },
  )
  if (ended === 0) return false
  const { userId } = await em.findOneOrFail(SignIn, { id: signInId })
  const user = await em.findOneOrFail(User, { id: userId })
  const action = endReason === 'reused' ? 'sign-in.reused' : 'sign-in.ended'
  await recordUserAct(em, { action, user, signInId, ip, at })
  return true
}

/** Ends all sign-ins of a user but one. Part of the caller's transaction, which then announces the ids returned. */
export async function endSignInsOf(
  context: Context,
  em: EntityManager,
  { id: userId }: User,
  { reason, except }: { reason: EndReason; except?: string },
): Promise<string[]> {
  const going = await em.find(SignIn, {
    userId,
    endedAt: null,
    expiresAt: { $gt: context.now() },
    ...(except === undefined ? {} : { id: { $ne: except } }),
  })
  const ended: string[] = []
  for (const { id } of going) if (await endSignIn(context, em, id, reason)) ended.push(id)
  await em.flush()
  return ended
}

/**
 * The sign-ins of whoever asks that go on, the one used last first. An identity provider that vouches for somebody learns
 * nothing of where else they are signed in.
 */
export async function findSignIns(context: Context): Promise<SignIn[]> {
  const { orm, now } = context
  const userId = personOf(context)
  const visible = (await isSsoSignIn(context)) ? { ssoOnly: true } : {}
  const going = { userId, endedAt: null, expiresAt: { $gt: now() }, ...visible }
  const orderBy = { refreshedAt: 'desc', id: 'desc' } as const
  return forkSystem(orm).find(SignIn, going, { orderBy, limit: signInsShownMax })
}
/** Who has more sees those used last; ending the others ends all of them. */
const signInsShownMax = 100

/** Ends one sign-in of whoever asks. Somebody else's counts as missing. */
export async function revokeSignIn(context: Context, id: string): Promise<string> {
  const { orm, revocations } = context
  const userId = personOf(context)
  const ended = await forkSystem(orm).transactional(async (em) => {
    const own = isUuid(id) && (await em.count(SignIn, { id, userId })) > 0
    return own && (await endSignIn(context, em, id, 'revoked'))
  })
  if (!ended) throw new SluiceError('SLUICE_SIGN_IN_NOT_FOUND')
  await revocations.publish('sign-in', id)
  return id
}

/** Ends all sign-ins of whoever asks but this one. Returns how many. */
export async function revokeOtherSignIns(context: Context): Promise<number> {
  const { orm, principal, revocations } = context
  const userId = personOf(context)
  const ended = await forkSystem(orm).transactional(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId })
    const except = principal.signInId
    return endSignInsOf(context, em, user, { reason: 'revoked', ...(except && { except }) })
  })
  for (const id of ended) await revocations.publish('sign-in', id)
  return ended.length
}

/** Rows are kept past their end, so that a refresh token that is used late is still recognised. */
const purgeAfterMs = 7 * 24 * 60 * 60_000
const purgedAtOnceMax = 1_000

/** Deletes sign-ins that expired long ago. Returns how many; several replicas may do it at once. */
export async function purgeSignIns(em: EntityManager, now: Date): Promise<number> {
  const before = new Date(now.getTime() - purgeAfterMs)
  const rows = await em.execute<unknown[]>(
    `delete from "identity"."sign_in" where id in (
       select id from "identity"."sign_in" where expires_at < ?
       limit ${purgedAtOnceMax} for update skip locked) returning id`,
    [before],
  )
  return rows.length
}
