import type { EntityManager } from '@sluice/kit/database'
import { anonymous, type Principal } from '@sluice/kit/principal'
import type { Role } from '@sluice/schema/permissions'

import { permissionsOf } from '../role/held-permissions.ts'

/** As many organizations as a principal can carry; nobody can join more. */
export const membershipsMax = 200

interface Row {
  is_admin: boolean
  organization_id: string | null
  role: Role | null
  custom_permissions: number | null
}

/**
 * Who a sign-in speaks for, or null when it has ended. Asks across organizations, because which ones they are is the
 * answer: `em` must be a system fork.
 */
export async function principalOfSignIn(
  em: EntityManager,
  { userId, signInId }: { userId: string; signInId: string },
  now: Date,
): Promise<Principal | null> {
  const rows = await em.execute<Row[]>(
    `select u.is_admin, m.organization_id, m.role, c.permissions as custom_permissions
     from "identity"."sign_in" s
     join "identity"."user" u on u.id = s.user_id
     left join "identity"."member" m on m.user_id = u.id
     left join "identity"."custom_role" c on c.id = m.custom_role_id
     where s.id = ? and s.user_id = ? and s.ended_at is null and s.expires_at > ?
     order by m.joined_at, m.id limit ${membershipsMax}`,
    [signInId, userId, now],
  )
  const [first] = rows
  if (!first) return null
  return {
    ...anonymous,
    kind: 'user',
    id: userId,
    userId,
    signInId,
    isAdmin: first.is_admin,
    memberships: rows.flatMap(
      ({ organization_id: organizationId, role, custom_permissions: customPermissions }) =>
        organizationId && role
          ? [{ organizationId, role, permissions: permissionsOf({ role, customPermissions }) }]
          : [],
    ),
  }
}
