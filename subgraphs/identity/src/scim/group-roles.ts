import type { EntityManager } from '@sluice/kit/database'
import { type PermissionSet, type Role, rolePermissions } from '@sluice/schema/permissions'

import { recordAct } from '../audit/audit.ts'
import type { Member } from '../organization/member.entity.ts'
import type { Act } from '../organization/membership.ts'
import { lookUpRole, type RoleGiven } from '../role/held-permissions.ts'

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

interface MemberRow {
  id: string
  user_id: string
  email: string
  role: Role
  custom_role_id: string | null
}

/**
 * Gives everybody the role that their groups now say, owners excepted: those are made and unmade by people only. Returns whose
 * changed. Part of the caller's transaction, for whom the organization is locked. A group can have thousands of people, so
 * each role is given to all who get it by one statement.
 */
export async function settleRoles(
  em: EntityManager,
  organizationId: string,
  scimUserIds: readonly string[],
  { actor, ip, at }: Act,
): Promise<Pick<Member, 'organizationId' | 'userId'>[]> {
  const roles = await rolesByGroups(em, organizationId, scimUserIds)
  const members = await em.execute<MemberRow[]>(
    `select m.id, m.user_id, u.email, m.role, m.custom_role_id from "identity"."member" m
     join "identity"."user" u on u.id = m.user_id
     where m.organization_id = ? and m.user_id = any(?::uuid[]) and m.role <> 'OWNER'`,
    [organizationId, idArray([...roles.keys()])],
  )
  const labels = new Map<string, string>()
  const labelOf = async (given: RoleGiven): Promise<string> => {
    const known = labels.get(keyOf(given))
    const label = known ?? (await lookUpRole(em, organizationId, given)).label
    labels.set(keyOf(given), label)
    return label
  }
  const changed: MemberRow[] = []
  const byRole = new Map<string, { given: RoleGiven; ids: string[] }>()
  for (const member of members) {
    const before = { role: member.role, customRoleId: member.custom_role_id }
    const given = roles.get(member.user_id) ?? leastRole
    if (keyOf(before) === keyOf(given)) continue
    changed.push(member)
    const same = byRole.get(keyOf(given)) ?? { given, ids: [] }
    same.ids.push(member.id)
    byRole.set(keyOf(given), same)
    recordAct(em, {
      action: 'member.role-changed',
      actor,
      organizationId,
      target: { type: 'member', id: member.id },
      details: `${member.email} from ${await labelOf(before)} to ${await labelOf(given)}`,
      ip,
      at,
    })
  }
  for (const { given, ids } of byRole.values()) {
    await em.execute(
      `update "identity"."member" set role = ?, custom_role_id = ?
       where organization_id = ? and id = any(?::uuid[])`,
      [given.role, given.customRoleId ?? null, organizationId, idArray(ids)],
    )
  }
  await em.flush()
  return changed.map(({ user_id: userId }) => ({ organizationId, userId }))
}

/** Beside a custom role the built-in one is VIEWER always. */
function keyOf({ role, customRoleId }: RoleGiven): string {
  return customRoleId ?? role
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
