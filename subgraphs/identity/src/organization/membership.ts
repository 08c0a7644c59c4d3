import type { EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'
import { freeEntitlements } from '@sluice/schema/events'

import { recordAct } from '../audit/audit.ts'
import { revokeAuthtokensOf } from '../credential/revoke-credentials.ts'
import type { Revocations } from '../revocations.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'
import { forgetDeparture } from '../scim/departure.ts'
import { User } from '../user/user.entity.ts'
import { Allowance } from './allowance.entity.ts'
import { lastOwnerConstraint, Member } from './member.entity.ts'
import { assertMayJoinOneMore, lockOrganization } from './organization.ts'

/*
 * What happens to a membership, whoever decided it: a member, an invitation, an identity provider. Each is part of the
 * caller's transaction, for whom the organization is locked; the caller has decided that it may be, and announces it
 * with `announceMembership` after the commit.
 */

/** Who did it, for the audit; null for the platform, which never makes owners. */
export interface Act {
  readonly actor: Pick<User, 'id' | 'name'> | null
  readonly ip: string
  readonly at: Date
}

/** Takes a person in. Somebody who is a member already stays as they are. */
export async function admitMember(
  em: EntityManager,
  options: RoleGiven & Act & { organizationId: string; userId: string; how?: string },
): Promise<{ member: Member; isNew: boolean }> {
  const { organizationId, userId, role, customRoleId, actor, ip, at, how } = options
  assertOwnerGivenBySomebody(options)
  await lockOrganization(em, organizationId)
  const present = await em.findOne(Member, { organizationId, userId }, { refresh: true })
  if (present) return { member: present, isNew: false }

  const { label } = await lookUpRole(em, organizationId, options)
  await assertRoomForMember(em, organizationId)
  await assertMayJoinOneMore(em, userId)
  const { email } = await em.findOneOrFail(User, { id: userId })
  const id = crypto.randomUUID()
  const member = em.create(Member, {
    id,
    organizationId,
    userId,
    role: builtInOf({ role, customRoleId }),
    customRoleId: customRoleId ?? null,
    joinedAt: at,
  })
  em.persist(member)
  await forgetDeparture(em, { organizationId, userId })
  recordAct(em, {
    action: 'member.added',
    actor,
    organizationId,
    target: { type: 'member', id },
    details: `${email} as ${label}${how ? `, ${how}` : ''}`,
    ip,
    at,
  })
  await em.flush()
  return { member, isNew: true }
}

/** Gives a member another role. Says whether it was another; throws SLUICE_LAST_OWNER rather than unmake the last owner. */
export async function assignRole(
  em: EntityManager,
  member: Member,
  given: RoleGiven,
  { actor, ip, at }: Act,
): Promise<boolean> {
  const { organizationId } = member
  assertOwnerGivenBySomebody({ ...given, actor })
  await lockOrganization(em, organizationId)
  await freshMember(em, member.id)
  const role = builtInOf(given)
  if (member.role === role && (member.customRoleId ?? null) === (given.customRoleId ?? null))
    return false
  const before = await lookUpRole(em, organizationId, member)
  const after = await lookUpRole(em, organizationId, given)
  const { email } = await em.findOneOrFail(User, { id: member.userId })
  member.role = role
  member.customRoleId = given.customRoleId ?? null
  recordAct(em, {
    action: 'member.role-changed',
    actor,
    organizationId,
    target: { type: 'member', id: member.id },
    details: `${email} from ${before.label} to ${after.label}`,
    ip,
    at,
  })
  await ownedStill(() => em.flush())
  return true
}

/** Takes a member out, and revokes the authtokens they made there: their ids are the answer. */
export async function dismissMember(
  em: EntityManager,
  member: Member,
  { actor, ip, at }: Act,
): Promise<string[]> {
  const { id, organizationId, userId } = member
  await lockOrganization(em, organizationId)
  await freshMember(em, id)
  const { label } = await lookUpRole(em, organizationId, member)
  const { email } = await em.findOneOrFail(User, { id: userId })
  recordAct(em, {
    action: 'member.removed',
    actor,
    organizationId,
    target: { type: 'member', id },
    details: `${email}, ${label}`,
    ip,
    at,
  })
  const authtokenIds = await revokeAuthtokensOf(em, { organizationId, userId, actor, ip, at })
  em.remove(member)
  await ownedStill(() => em.flush())
  return authtokenIds
}

/** The member as it is now that the organization is locked: it may have changed while we waited. */
export async function freshMember(em: EntityManager, id: string): Promise<Member> {
  const member = await em.findOne(Member, { id }, { refresh: true })
  if (!member) throw new SluiceError('SLUICE_MEMBER_NOT_FOUND')
  return member
}

/** Tells everybody who may hold what the member was allowed to before. */
export async function announceMembership(
  revocations: Revocations,
  { organizationId, userId }: Pick<Member, 'organizationId' | 'userId'>,
  revokedAuthtokenIds: readonly string[] = [],
): Promise<void> {
  await revocations.publish('membership', `${organizationId}:${userId}`)
  for (const id of revokedAuthtokenIds) await revocations.publish('authtoken', id)
}

/** Beside a custom role stands the least built-in one: what looks at that alone gives too little, never too much. */
function builtInOf({ role, customRoleId }: RoleGiven): RoleGiven['role'] {
  return customRoleId ? 'VIEWER' : role
}

function assertOwnerGivenBySomebody({ role, customRoleId, actor }: RoleGiven & Pick<Act, 'actor'>) {
  if (actor === null && !customRoleId && role === 'OWNER') {
    throw new SluiceError('SLUICE_FORBIDDEN')
  }
}

/** The organization is locked, so that two that add at once count one after the other. */
async function assertRoomForMember(em: EntityManager, organizationId: string): Promise<void> {
  const allowance = await em.findOne(Allowance, { organizationId })
  const max = allowance?.maxMembers ?? freeEntitlements.maxMembers
  const members = await em.count(Member, { organizationId })
  if (members >= max) throw new SluiceError('SLUICE_MEMBERS_MAX', { max })
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
