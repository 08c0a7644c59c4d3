import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { covers } from '@sluice/schema/permissions'

import type { Context } from '../context.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'
import { Member } from './member.entity.ts'
import { announceMembership, assignRole, dismissMember, freshMember } from './membership.ts'
import { lockAsActor, personOf } from './organization.ts'

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

/** Gives a member another role. Nobody gives, or takes, what they do not hold: only owners make or unmake owners. */
export async function changeMemberRole(
  context: Context,
  memberId: string,
  given: RoleGiven,
): Promise<Member> {
  const { visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  const { organizationId } = await findMember(context, memberId)

  const { member, changed } = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'members.manage')
    const target = await freshMember(em, memberId)
    const held = await lookUpRole(em, organizationId, target)
    const wanted = await lookUpRole(em, organizationId, given)
    if (!covers(actor.permissions, held.permissions | wanted.permissions)) {
      throw new SluiceError('SLUICE_FORBIDDEN')
    }
    const act = { actor: actor.user, ip, at: now() }
    return { member: target, changed: await assignRole(em, target, given, act) }
  })
  if (changed) await announceMembership(revocations, member)
  return member
}

/** Takes a member out, with the authtokens they made there. For owners and admins, and for oneself. */
export async function removeMember(context: Context, memberId: string): Promise<string> {
  const { visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  const found = await findMember(context, memberId)
  const { organizationId } = found
  // Anybody may leave.
  const permission = found.userId === actorId ? null : 'members.manage'

  const authtokenIds = await context.em.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, permission)
    const target = await freshMember(em, memberId)
    const held = await lookUpRole(em, organizationId, target)
    if (!covers(actor.permissions, held.permissions)) throw new SluiceError('SLUICE_FORBIDDEN')
    return dismissMember(em, target, { actor: actor.user, ip, at: now() })
  })
  context.wakeOutbox()
  await announceMembership(revocations, found, authtokenIds)
  return memberId
}

/** Finds a member of the principal's organizations. Another's member counts as missing. */
async function findMember({ em }: Context, id: string): Promise<Member> {
  const member = isUuid(id) ? await em.findOne(Member, { id }) : null
  if (!member) throw new SluiceError('SLUICE_MEMBER_NOT_FOUND')
  return member
}
