import type { EntityManager } from '@sluice/kit/database'
import { SluiceError } from '@sluice/schema/errors'
import { type PermissionSet, type Role, rolePermissions } from '@sluice/schema/permissions'

import { CustomRole } from './custom-role.entity.ts'

/** What decides what somebody may do: a built-in role, or a custom one, beside which `role` is VIEWER. */
export interface RoleGiven {
  readonly role: Role
  readonly customRoleId?: string | null | undefined
}

/** What those who have this role may do. `customPermissions` is what the custom role names, where they have one. */
export function permissionsOf({
  role,
  customPermissions,
}: {
  role: Role
  customPermissions: PermissionSet | null
}): PermissionSet {
  return customPermissions ?? rolePermissions[role]
}

/** The same for whoever holds the id of a custom role; `label` is how the audit calls the role. */
export async function lookUpRole(
  em: EntityManager,
  organizationId: string,
  { role, customRoleId }: RoleGiven,
): Promise<{ permissions: PermissionSet; name: string; label: string }> {
  if (!customRoleId) return { permissions: rolePermissions[role], name: role, label: role }
  const found = await em.findOne(
    CustomRole,
    { id: customRoleId, organizationId },
    { refresh: true },
  )
  if (!found) throw new SluiceError('SLUICE_ROLE_NOT_FOUND')
  return { permissions: found.permissions, name: found.name, label: `“${found.name}”` }
}
