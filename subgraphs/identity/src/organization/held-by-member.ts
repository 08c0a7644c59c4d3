import type { EntityManager } from '@sluice/kit/database'
import type { PermissionSet } from '@sluice/schema/permissions'

import { CustomRole } from '../role/custom-role.entity.ts'
import { permissionsOf } from '../role/held-permissions.ts'
import { Member } from './member.entity.ts'

/** What members may do now, in the order of the keys `<organizationId>:<userId>`; null for who is none. */
export async function heldPermissions(
  em: EntityManager,
  keys: readonly string[],
): Promise<(PermissionSet | null)[]> {
  const pairs = keys.map((key) => key.split(':'))
  const members = await em.find(Member, {
    organizationId: { $in: pairs.map(([organizationId = '']) => organizationId) },
    userId: { $in: pairs.map(([, userId = '']) => userId) },
  })
  const ids = members.flatMap(({ customRoleId }) => customRoleId ?? [])
  const roles = ids.length > 0 ? await em.find(CustomRole, { id: { $in: ids } }) : []
  const held = new Map(
    members.map(({ organizationId, userId, role, customRoleId }) => {
      const custom = roles.find(({ id }) => id === customRoleId)
      const customPermissions = custom?.permissions ?? null
      return [`${organizationId}:${userId}`, permissionsOf({ role, customPermissions })]
    }),
  )
  return keys.map((key) => held.get(key) ?? null)
}
