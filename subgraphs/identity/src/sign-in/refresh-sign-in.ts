import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { addressOf } from '@sluice/kit/network'
import { SluiceError } from '@sluice/schema/errors'

import { watchRefresh } from '../anomaly/watch-sign-in.ts'
import type { Context } from '../context.ts'
import { assertNotSuspended } from '../staff/suspension.ts'
import { User } from '../user/user.entity.ts'
import { attemptLimits } from './attempts.ts'
import { endSignIn } from './end-sign-ins.ts'
import { parseRefreshToken, refreshHashOf, type RefreshToken } from './refresh-token.ts'
import { SignIn } from './sign-in.entity.ts'
import { completeSignIn, signInIdleMs, signInLifeMs, type SignedIn } from './start-sign-in.ts'

/**
 * For so long after a refresh the token that was just replaced still answers, with the same successor: tabs that
 * refresh at once, or a page that was reloaded before the answer arrived. A thief gains no tokens of their own by it:
 * whichever of the two uses the shared successor second is found out.
 */
export const parallelRefreshMs = 10_000

/**
 * Replaces the refresh token and issues an access token. A token that was replaced before ends the whole sign-in, unless
 * the answer that replaced it was lost: nothing that came with it was ever used. Then the successor that was lost is
 * skipped. Whoever else has it, a thief or its owner, is found out by using it.
 */
export async function refreshSignIn(context: Context): Promise<SignedIn> {
  const { orm, refreshTokens, attempts, visitorIp } = context
  const token = parseRefreshToken(context.refreshToken)
  if (!token) throw refused(context)
  const successor = refreshTokens.successorOf(token)
  const reportTravel = await watchRefresh(context, forkSystem(orm), token.signInId)
  const rotated = await rotate(context, token, { replaced: token, next: successor })
  if (rotated) {
    reportTravel()
    return answer(context, rotated, successor)
  }

  // Everything below is rare, and may follow a token through all its successors.
  await attempts.count(attemptLimits.refreshRefusedByIp, addressOf(visitorIp))
  const signIn = await forkSystem(orm).findOne(SignIn, { id: token.signInId })
  if (!signIn || !isAlive(signIn, context.now())) throw refused(context)
  if (!refreshTokens.leadsTo(token, signIn.generation, signIn.refreshHash)) throw refused(context)
  // The token stays as it is: once the suspension is lifted, it is good again.
  assertNotSuspended(await forkSystem(orm).findOneOrFail(User, { id: signIn.userId }))

  const replaced = signIn.replacedGeneration ?? signIn.generation - 1
  if (replaced !== token.generation) return endForReuse(context, signIn.id)
  const present = refreshTokens.successorAt(token, signIn.generation)
  const sinceMs = context.now().getTime() - signIn.refreshedAt.getTime()
  if (sinceMs <= parallelRefreshMs) return answer(context, signIn, present)
  if (signIn.arrivedAt) return endForReuse(context, signIn.id)
  const next = refreshTokens.successorOf(present)
  const again = await rotate(context, present, { replaced: token, next })
  if (again) return answer(context, again, next)
  // The row is another by now: of tabs that ask again at once, one was first.
  return refreshSignIn(context)
}

/** An access token was used: the answer that it came in has arrived, and the refresh token before it is done with. */
export async function noteArrival(
  em: EntityManager,
  { signInId: id, generation }: { signInId: string; generation: number | null },
  arrivedAt: Date,
): Promise<void> {
  if (generation === null) return
  await em.nativeUpdate(SignIn, { id, generation, arrivedAt: null }, { arrivedAt })
}

/** The row decides: of two that bring the same token at once, one replaces it. `present` is what the row must hold. */
async function rotate(
  { orm, visitorIp, userAgent, now }: Context,
  present: RefreshToken,
  { replaced, next }: { replaced: RefreshToken; next: RefreshToken },
): Promise<SignIn | null> {
  const at = now()
  const em = forkSystem(orm)
  const rows = await em.execute<unknown[]>(
    `update "identity"."sign_in" set generation = ?, refresh_hash = ?, refreshed_at = ?,
       replaced_generation = ?, arrived_at = null, last_ip = ?, user_agent = ?,
       expires_at = least(?::timestamptz, started_at + interval '${signInLifeMs} milliseconds')
     where id = ? and generation = ? and refresh_hash = ? and ended_at is null and expires_at > ?
       and (arrived_at is null or generation = ?)
       and not exists (select 1 from "identity"."user" u where u.id = user_id and u.suspended_at is not null)
     returning id`,
    [
      next.generation,
      refreshHashOf(next.secret),
      at,
      replaced.generation,
      visitorIp,
      userAgent,
      new Date(at.getTime() + signInIdleMs),
      present.signInId,
      present.generation,
      refreshHashOf(present.secret),
      at,
      // Who brings what the row holds has used the answer; for who skips it, it must not have arrived.
      replaced.generation,
    ],
  )
  return rows.length === 0 ? null : em.findOneOrFail(SignIn, { id: present.signInId })
}

async function answer(
  context: Context,
  signIn: SignIn,
  refreshToken: RefreshToken,
): Promise<SignedIn> {
  const user = await forkSystem(context.orm).findOneOrFail(User, { id: signIn.userId })
  return completeSignIn(context, user, { signIn, refreshToken })
}

async function endForReuse(context: Context, signInId: string): Promise<never> {
  const ended = await forkSystem(context.orm).transactional((em) =>
    endSignIn(context, em, signInId, 'reused'),
  )
  if (ended) await context.revocations.publish('sign-in', signInId)
  const { userId } = await forkSystem(context.orm).findOneOrFail(SignIn, { id: signInId })
  const ip = context.visitorIp
  context.anomalies.report({ kind: 'refresh-reused', userId, subject: signInId, ip })
  context.setRefreshToken(null)
  throw new SluiceError('SLUICE_SIGN_IN_REUSED')
}

function refused(context: Context): SluiceError {
  context.setRefreshToken(null)
  return new SluiceError('SLUICE_UNAUTHENTICATED')
}

function isAlive(signIn: SignIn, now: Date): boolean {
  return !signIn.endedAt && signIn.expiresAt > now
}
