import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'

import { assertProved, signInOf } from '../account/assert-proved.ts'
import { recordAct } from '../audit/audit.ts'
import { findMembershipsOf } from '../authenticate/principal-of.ts'
import type { Context } from '../context.ts'
import { Member } from '../organization/member.entity.ts'
import { recordRevocations } from '../revocation/revocation-list.ts'
import { inputInvalid, nameOf } from '../text.ts'
import { User } from '../user/user.entity.ts'
import { Impersonation } from './impersonation.entity.ts'
import { leftToStaff } from './left-permissions.ts'
import { reasonOf, staffOf } from './staff.ts'

const minuteMs = 60_000
export const impersonationMsDefault = 30 * minuteMs
/** Whatever the configuration says. */
const impersonationMsLimit = 60 * minuteMs

export interface ImpersonationInput {
  readonly userId: string
  readonly reason: string
  readonly ticket?: string | null | undefined
  readonly minutes?: number | null | undefined
  readonly mayChange?: boolean | null | undefined
}

/** What the console needs to act as somebody: there is no refresh, so that it ends in time by itself. */
export interface Impersonating {
  readonly impersonation: Impersonation
  readonly user: User
  readonly accessToken: string
  readonly expiresAt: Date
}

/**
 * Lets a member of staff act as a user, for a reason that the user’s organizations read, and for a time. They have to prove
 * that it is them, with their second factor if there is one. Nobody acts as staff.
 */
export async function startImpersonation(
  context: Context,
  input: ImpersonationInput,
): Promise<Impersonating> {
  const { orm, accessTokens, anomalies, visitorIp: ip, now } = context
  const staffId = staffOf(context)
  await assertProved(context)
  const staffSignInId = signInOf(context)
  const reason = reasonOf(input.reason)
  const ticket = input.ticket ? nameOf(input.ticket, 'the ticket') : null
  const mayChange = input.mayChange ?? false
  const lifeMs = lifeOf(context, input.minutes)

  const { impersonation, user } = await forkSystem(orm).transactional(async (em) => {
    const staff = await em.findOneOrFail(User, { id: staffId })
    const found = isUuid(input.userId) ? await em.findOne(User, { id: input.userId }) : null
    if (!found) throw new SluiceError('SLUICE_USER_NOT_FOUND')
    if (found.isAdmin) throw new SluiceError('SLUICE_IMPERSONATION_FORBIDDEN')
    const at = now()
    const made = em.create(Impersonation, {
      id: crypto.randomUUID(),
      userId: found.id,
      staffId,
      staffSignInId,
      reason,
      ticket,
      mayChange,
      ip,
      startedAt: at,
      expiresAt: new Date(at.getTime() + lifeMs),
      endedAt: null,
    })
    em.persist(made)
    const how = `${mayChange ? 'to change things' : 'to look only'}, for ${Math.round(lifeMs / minuteMs)} minutes`
    const details = `${how}: ${reason}${ticket ? ` (${ticket})` : ''}`
    await recordForAll(em, made, { action: 'impersonation.started', staff, details, ip, at })
    await em.flush()
    return { impersonation: made, user: found }
  })
  anomalies.report({ kind: 'impersonation', userId: user.id, subject: staffId, ip })
  const { id, expiresAt } = impersonation
  const { text: accessToken } = await accessTokens.issue(user.id, id, lifeMs / 1000)
  return { impersonation, user, accessToken, expiresAt }
}

/** Ends the impersonation that asks, or one that whoever asks has started. Returns its id. */
export async function endImpersonation(context: Context, id: string): Promise<string> {
  const { orm, principal, revocations, visitorIp: ip, now } = context
  const { impersonatedBy } = principal
  const staffId = impersonatedBy ? impersonatedBy.userId : staffOf(context)
  const at = now()
  const ended = await forkSystem(orm).transactional(async (em) => {
    const own = { id, staffId, endedAt: null }
    const changed = isUuid(id) ? await em.nativeUpdate(Impersonation, own, { endedAt: at }) : 0
    if (changed === 0) return false
    const impersonation = await em.findOneOrFail(Impersonation, { id })
    const staff = await em.findOneOrFail(User, { id: staffId })
    recordRevocations(em, 'sign-in', [id], { at, reason: 'disabled' })
    await recordForAll(em, impersonation, { action: 'impersonation.ended', staff, ip, at })
    await em.flush()
    return true
  })
  if (!ended) throw new SluiceError('SLUICE_SIGN_IN_NOT_FOUND')
  await revocations.publish('sign-in', id)
  return id
}

/** Those of the member of staff who asks that go on. */
export async function findImpersonations(context: Context): Promise<Impersonation[]> {
  const staffId = staffOf(context)
  const going = { staffId, endedAt: null, expiresAt: { $gt: context.now() } }
  return forkSystem(context.orm).find(Impersonation, going, { orderBy: { startedAt: 'desc' } })
}

interface PrincipalRow {
  staff_id: string
  staff_sign_in_id: string
  staff_name: string
  may_change: boolean
}

/**
 * Whom an impersonation speaks for, or null when it has ended: by itself, with its time, with the sign-in of the member of
 * staff, or because they are staff no longer. `em` must be a system fork.
 */
export async function principalOfImpersonation(
  em: EntityManager,
  { userId, signInId }: { userId: string; signInId: string },
  now: Date,
): Promise<Principal | null> {
  const [row] = await em.execute<PrincipalRow[]>(
    `select i.staff_id, i.staff_sign_in_id, i.may_change, t.name as staff_name
     from "identity"."impersonation" i
     join "identity"."user" u on u.id = i.user_id
     join "identity"."user" t on t.id = i.staff_id
     join "identity"."sign_in" s on s.id = i.staff_sign_in_id
     where i.id = ? and i.user_id = ? and i.ended_at is null and i.expires_at > ?
       and s.ended_at is null and s.expires_at > ?
       and t.is_admin and t.suspended_at is null and not u.is_admin`,
    [signInId, userId, now, now],
  )
  if (!row) return null
  const memberships = await findMembershipsOf(em, userId)
  const { staff_id, staff_sign_in_id, staff_name: name, may_change: mayChange } = row
  return {
    ...anonymous,
    kind: 'user',
    id: userId,
    userId,
    signInId,
    memberships: memberships.map((one) => ({
      ...one,
      permissions: leftToStaff(one.permissions, mayChange),
    })),
    impersonatedBy: { userId: staff_id, signInId: staff_sign_in_id, name, mayChange },
  }
}

const endsEveryMs = 30_000
const endedAtOnceMax = 200

/** Notes the end of those whose time is over, so that customers find it in their audit. */
export function openImpersonationEnds(deps: { orm: Orm; now: () => Date; log: Log }): {
  close(): void
} {
  const timer = setInterval(() => {
    endOverdue(deps).catch((error: unknown) => {
      // They are void already; the next round tries again.
      deps.log.warn({ err: error }, 'ends of impersonations could not be noted')
    })
  }, endsEveryMs)
  timer.unref()
  return { close: () => clearInterval(timer) }
}

/** Returns how many: of several replicas, each notes those that no other does. */
export async function endOverdue({ orm, now }: { orm: Orm; now: () => Date }): Promise<number> {
  return forkSystem(orm).transactional(async (em) => {
    const rows = await em.execute<{ id: string }[]>(
      `update "identity"."impersonation" i set ended_at = least(i.expires_at, ?::timestamptz)
       where i.id in (
         select o.id from "identity"."impersonation" o
         join "identity"."sign_in" s on s.id = o.staff_sign_in_id
         where o.ended_at is null and (o.expires_at <= ? or s.ended_at is not null)
         limit ${endedAtOnceMax} for update of o skip locked) returning i.id`,
      [now(), now()],
    )
    for (const { id } of rows) {
      const impersonation = await em.findOneOrFail(Impersonation, { id })
      const staff = await em.findOneOrFail(User, { id: impersonation.staffId })
      const { endedAt } = impersonation
      const details = 'its time was over, or the sign-in of staff'
      const act = { action: 'impersonation.ended', staff, details, ip: '' } as const
      await recordForAll(em, impersonation, { ...act, at: endedAt ?? now() })
    }
    await em.flush()
    return rows.length
  })
}

/** Every organization that the user can enter finds it in its audit. */
async function recordForAll(
  em: EntityManager,
  { id, userId }: Impersonation,
  act: {
    action: 'impersonation.started' | 'impersonation.ended'
    staff: User
    details?: string
    ip: string
    at: Date
  },
): Promise<void> {
  const { action, staff, details, ip, at } = act
  const members = await em.find(Member, { userId })
  const organizationIds = members.map((member) => member.organizationId)
  const user = await em.findOneOrFail(User, { id: userId })
  for (const organizationId of organizationIds.length > 0 ? organizationIds : [null]) {
    recordAct(em, {
      action,
      actor: staff,
      organizationId,
      target: { type: 'user', id: userId },
      details: `staff as ${user.name}, ${id.slice(0, 8)}${details ? `: ${details}` : ''}`.slice(
        0,
        500,
      ),
      ip,
      at,
    })
  }
}

function lifeOf({ impersonationMsMax }: Context, minutes: number | null | undefined): number {
  const msMax = Math.min(impersonationMsMax, impersonationMsLimit)
  if (minutes === null || minutes === undefined) return msMax
  if (minutes < 1 || minutes * minuteMs > msMax) {
    throw inputInvalid(`an impersonation lasts 1 to ${Math.floor(msMax / minuteMs)} minutes`)
  }
  return minutes * minuteMs
}
