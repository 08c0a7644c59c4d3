import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { covers } from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { announceMembership } from '../organization/membership.ts'
import { lockAsActor, personOf } from '../organization/organization.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'
import { inputInvalid } from '../text.ts'
import { membersOf } from './group-members.ts'
import { settleRoles } from './group-roles.ts'
import { ScimGroup, ScimGroupMember } from './scim-group.entity.ts'

/** The groups of an organization's identity provider, the newest first. */
export async function scimGroupPage(
  { em, principal }: Context,
  organizationId: string,
  args: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<Page<ScimGroup>> {
  assertMay(principal, organizationId, 'sso.manage')
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    (rows, after) =>
      em.find(
        ScimGroup,
        { organizationId, ...afterKeyset('createdAt', after) },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit: rows },
      ),
  )
}

export async function countMembers({ em }: Context, groupId: string): Promise<number> {
  return em.count(ScimGroupMember, { groupId })
}

/**
 * Says what the people of a group may do, at once and from now on; null for a group that says nothing about it. Nobody gives,
 * or takes, what they do not hold, and nobody becomes an owner by a group.
 */
export async function mapScimGroup(
  context: Context,
  id: string,
  given: RoleGiven | null,
): Promise<ScimGroup> {
  const { em: outside, principal, visitorIp: ip, revocations, now } = context
  const actorId = personOf(context)
  const found = isUuid(id) ? await outside.findOne(ScimGroup, { id }) : null
  if (!found) throw new SluiceError('SLUICE_SCIM_GROUP_NOT_FOUND')
  const { organizationId } = found
  assertMay(principal, organizationId, 'sso.manage')
  if (given?.role === 'OWNER') throw inputInvalid('nobody becomes an owner by a group')

  const { group, changed } = await outside.transactional(async (em) => {
    const actor = await lockAsActor(em, organizationId, actorId, 'sso.manage')
    const fresh = await em.findOne(ScimGroup, { id }, { refresh: true })
    if (!fresh) throw new SluiceError('SLUICE_SCIM_GROUP_NOT_FOUND')
    const before = fresh.role && { role: fresh.role, customRoleId: fresh.customRoleId }
    const labels: string[] = []
    for (const one of [before, given]) {
      const role = one && (await lookUpRole(em, organizationId, one))
      if (role && !covers(actor.permissions, role.permissions)) {
        throw new SluiceError('SLUICE_FORBIDDEN')
      }
      labels.push(role?.label ?? 'no role')
    }
    fresh.role = given ? (given.customRoleId ? 'VIEWER' : given.role) : null
    fresh.customRoleId = given?.customRoleId ?? null
    const act = { actor: actor.user, ip, at: now() }
    recordAct(em, {
      action: 'scim-group.mapped',
      organizationId,
      target: { type: 'scim-group', id },
      details: `${fresh.displayName} from ${labels[0]} to ${labels[1]}`,
      ...act,
    })
    await em.flush()
    const ids = (await membersOf(em, id)).map((member) => member.id)
    return { group: fresh, changed: await settleRoles(em, organizationId, ids, act) }
  })
  for (const member of changed) await announceMembership(revocations, member)
  return group
}
