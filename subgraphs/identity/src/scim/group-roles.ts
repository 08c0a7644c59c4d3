import type { EntityManager } from '@sluice/kit/database'
import { type PermissionSet, type Role, rolePermissions } from '@sluice/schema/permissions'

import { Member } from '../organization/member.entity.ts'
import { assignRole, type Act } from '../organization/membership.ts'
import type { RoleGiven } from '../role/held-permissions.ts'

/** What a person is while no group of theirs says more. */
export const leastRole: RoleGiven = { role: 'VIEWER', customRoleId: null }

interface Row {
  user_id: string
  role: Role | null
  custom_role_id: string | null
  custom_permissions: PermissionSet | null
}

/** The highest role that the groups of each person give, by the id of their account; null where none gives any. */
export async function rolesByGroups(
  em: EntityManager,
  organizationId: string,
  scimUserIds: readonly string[],
): Promise<Map<string, RoleGiven | null>> {
  const rows = await em.execute<Row[]>(
    `select u.user_id, g.role, g.custom_role_id, c.permissions as custom_permissions
     from "identity"."scim_user" u
     left join ("identity"."scim_group_member" gm
       join "identity"."scim_group" g on g.id = gm.group_id and g.role is not null) on gm.scim_user_id = u.id
     left join "identity"."custom_role" c on c.id = g.custom_role_id
     where u.organization_id = ? and u.id = any(?::uuid[])`,
    [organizationId, idArray(scimUserIds)],
  )
  const highest = new Map<string, { given: RoleGiven; permissions: PermissionSet } | null>()
  for (const { user_id: userId, role, custom_role_id: customRoleId, ...row } of rows) {
    const before = highest.get(userId) ?? null
    if (role === null) {
      highest.set(userId, before)
      continue
    }
    const permissions = row.custom_permissions ?? rolePermissions[role]
    if (before && !isMore(permissions, before.permissions)) continue
    highest.set(userId, { given: { role, customRoleId }, permissions })
  }
  return new Map(Array.from(highest, ([userId, found]) => [userId, found?.given ?? null]))
}

/**
 * Gives everybody the role that their groups now say, owners excepted: those are made and unmade by people only. Returns whose
 * changed. Part of the caller's transaction, for whom the organization is locked.
 */
export async function settleRoles(
  em: EntityManager,
  organizationId: string,
  scimUserIds: readonly string[],
  act: Act,
): Promise<Member[]> {
  const roles = await rolesByGroups(em, organizationId, scimUserIds)
  const members = await em.find(
    Member,
    { organizationId, userId: { $in: [...roles.keys()] }, role: { $ne: 'OWNER' } },
    { refresh: true },
  )
  const changed: Member[] = []
  for (const member of members) {
    const given = roles.get(member.userId) ?? leastRole
    if (await assignRole(em, member, given, act)) changed.push(member)
  }
  return changed
}

/** By how much they permit; of equally many, by the bits, so that the answer is always the same. */
function isMore(left: PermissionSet, right: PermissionSet): boolean {
  const difference = bitsOf(left) - bitsOf(right)
  return difference === 0 ? left > right : difference > 0
}

function bitsOf(set: PermissionSet): number {
  let bits = 0
  for (let left = set; left !== 0; left &= left - 1) bits += 1
  return bits
}

/** A PostgreSQL array literal of ids that are known to be ids. */
export function idArray(ids: readonly string[]): string {
  return `{${ids.join(',')}}`
}
