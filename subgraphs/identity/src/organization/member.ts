import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { freeEntitlements } from '@sluice/schema/events'
import { covers, type Role, rolePermissions } from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import { revokeAuthtokensOf } from '../authtoken/authtoken.ts'
import type { Context } from '../context.ts'
import { attemptLimits } from '../sign-in/attempts.ts'
import { User } from '../user/user.entity.ts'
import { foldEmail } from '../user/user.ts'
import { Allowance } from './allowance.entity.ts'
import { lastOwnerConstraint, Member, permissionsOf } from './member.entity.ts'
import { assertMayJoinOneMore, lockAsActor, personOf } from './organization.ts'

/** The members of an organization, newest first. For its members. */
export async function memberPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<Member>> {
  assertMay(principal, organizationId, 'members.read')
  return pageOf(
    args,
    ({ joinedAt, id }) => ({ at: joinedAt, id }),
    (rows, after) =>
      em.find(
        Member,
        { organizationId, ...afterKeyset('joinedAt', after) },
        { orderBy: { joinedAt: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

/** Takes a person who has an account into an organization. For owners and admins, at most with their own role. */
export async function addMember(
  context: Context,
  organizationId: string,
  email: string,
  role: Role,
): Promise<Member> {
  const { principal, attempts, visitorIp, revocations, now } = context
  const actorId = personOf(context)
  assertMay(principal, organizationId, 'members.manage')
  await attempts.count(attemptLimits.addMemberByUser, actorId)

  const member = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'members.manage')
    if (!covers(actor.permissions, rolePermissions[role])) throw new SluiceError('SLUICE_FORBIDDEN')
    const user = await em.findOne(User, { email: foldEmail(email) })
    if (!user) throw new SluiceError('SLUICE_USER_NOT_FOUND')
    await assertRoomForMember(em, organizationId)
    await assertMayJoinOneMore(em, user.id)
    const id = crypto.randomUUID()
    const added = em.create(Member, { id, organizationId, userId: user.id, role, joinedAt: now() })
    em.persist(added)
    recordAct(em, {
      action: 'member.added',
      actor: actor.user,
      organizationId,
      target: { type: 'member', id },
      details: `${user.email} as ${role}`,
      ip: visitorIp,
      at: now(),
    })
    try {
      await em.flush()
    } catch (error) {
      if (error instanceof UniqueConstraintViolationException) {
        throw new SluiceError('SLUICE_MEMBER_EXISTS', {}, { cause: error })
      }
      throw error
    }
    return added
  })
  await revocations.publish('membership', `${organizationId}:${member.userId}`)
  return member
}

/** Gives a member another role. Only owners make or unmake owners. */
export async function changeMemberRole(
  context: Context,
  memberId: string,
  role: Role,
): Promise<Member> {
  const { visitorIp, revocations, now } = context
  const actorId = personOf(context)
  const { organizationId } = await findMember(context, memberId)

  const { member, changed } = await ownedStill(() =>
    context.em.transactional(async (em) => {
      const actor = await lockAsActor(em, organizationId, actorId, 'members.manage')
      const target = await freshMember(em, memberId)
      if (!covers(actor.permissions, permissionsOf(target) | rolePermissions[role])) {
        throw new SluiceError('SLUICE_FORBIDDEN')
      }
      const from = target.role
      if (from === role) return { member: target, changed: false }
      target.role = role
      const { email } = await em.findOneOrFail(User, { id: target.userId })
      recordAct(em, {
        action: 'member.role-changed',
        actor: actor.user,
        organizationId,
        target: { type: 'member', id: target.id },
        details: `${email} from ${from} to ${role}`,
        ip: visitorIp,
        at: now(),
      })
      await em.flush()
      return { member: target, changed: true }
    }),
  )
  if (changed) await revocations.publish('membership', `${organizationId}:${member.userId}`)
  return member
}

/** Takes a member out, with the authtokens they made there. For owners and admins, and for oneself. */
export async function removeMember(context: Context, memberId: string): Promise<string> {
  const { visitorIp, revocations, now } = context
  const actorId = personOf(context)
  const { organizationId, userId } = await findMember(context, memberId)
  // Anybody may leave.
  const permission = userId === actorId ? null : 'members.manage'

  const revoked = await ownedStill(() =>
    context.em.transactional(async (em) => {
      const actor = await lockAsActor(em, organizationId, actorId, permission)
      const target = await freshMember(em, memberId)
      if (!covers(actor.permissions, permissionsOf(target)))
        throw new SluiceError('SLUICE_FORBIDDEN')
      const { email } = await em.findOneOrFail(User, { id: userId })
      recordAct(em, {
        action: 'member.removed',
        actor: actor.user,
        organizationId,
        target: { type: 'member', id: target.id },
        details: `${email}, ${target.role}`,
        ip: visitorIp,
        at: now(),
      })
      const authtokenIds = await revokeAuthtokensOf(em, {
        organizationId,
        userId,
        actor: actor.user,
        ip: visitorIp,
        at: now(),
      })
      em.remove(target)
      await em.flush()
      return authtokenIds
    }),
  )
  context.wakeOutbox()
  await revocations.publish('membership', `${organizationId}:${userId}`)
  for (const id of revoked) await revocations.publish('authtoken', id)
  return memberId
}

/** Finds a member of the principal's organizations. Another's member counts as missing. */
async function findMember({ em }: Context, id: string): Promise<Member> {
  const member = isUuid(id) ? await em.findOne(Member, { id }) : null
  if (!member) throw new SluiceError('SLUICE_MEMBER_NOT_FOUND')
  return member
}

/** The organization is locked, so that two that add at once count one after the other. */
async function assertRoomForMember(em: EntityManager, organizationId: string): Promise<void> {
  const allowance = await em.findOne(Allowance, { organizationId })
  const max = allowance?.maxMembers ?? freeEntitlements.maxMembers
  const members = await em.count(Member, { organizationId })
  if (members >= max) throw new SluiceError('SLUICE_MEMBERS_MAX', { max })
}

/** The member as it is now that the organization is locked: it may have changed while we waited. */
async function freshMember(em: EntityManager, id: string): Promise<Member> {
  const member = await em.findOne(Member, { id }, { refresh: true })
  if (!member) throw new SluiceError('SLUICE_MEMBER_NOT_FOUND')
  return member
}

/** PostgreSQL refuses to leave an organization without an owner; this gives the refusal its code. */
async function ownedStill<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    if (isLastOwner(error)) throw new SluiceError('SLUICE_LAST_OWNER', {}, { cause: error })
    throw error
  }
}

function isLastOwner(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === lastOwnerConstraint
}
