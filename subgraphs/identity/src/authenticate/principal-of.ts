import type { EntityManager } from '@sluice/kit/database'
import { anonymous, type Principal } from '@sluice/kit/principal'
import type { Role } from '@sluice/schema/permissions'

import { permissionsOf } from '../role/held-permissions.ts'
import { enteredBy } from '../sso/entered-by.ts'
import { leftWhileSuspended } from '../staff/left-permissions.ts'

/** As many organizations as a principal can carry; nobody can join more. */
export const membershipsMax = 200

interface MembershipRow {
  organization_id: string | null
  suspension_reason: string | null
  role: Role | null
  custom_permissions: number | null
}

interface Row extends MembershipRow {
  is_admin: boolean
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
    `select u.is_admin and not s.sso_only as is_admin, m.organization_id, o.suspension_reason, m.role,
       c.permissions as custom_permissions
     from "identity"."sign_in" s
     join "identity"."user" u on u.id = s.user_id
     left join "identity"."member" m on m.user_id = u.id and ${enteredBy({ signIn: 's', member: 'm', now: '?' })}
     left join "identity"."organization" o on o.id = m.organization_id
     left join "identity"."custom_role" c on c.id = m.custom_role_id
     where s.id = ? and s.user_id = ? and s.ended_at is null and s.expires_at > ?
       and u.suspended_at is null and (not s.sso_only or m.id is not null)
     order by m.joined_at, m.id limit ${membershipsMax}`,
    [now, now, signInId, userId, now],
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
    memberships: membershipsOf(rows),
  }
}

/** The memberships of a user, as a principal has them. `em` must be a system fork. */
export async function findMembershipsOf(
  em: EntityManager,
  userId: string,
): Promise<Principal['memberships']> {
  const rows = await em.execute<MembershipRow[]>(
    `select m.organization_id, o.suspension_reason, m.role, c.permissions as custom_permissions
     from "identity"."member" m
     join "identity"."organization" o on o.id = m.organization_id
     left join "identity"."custom_role" c on c.id = m.custom_role_id
     where m.user_id = ? order by m.joined_at, m.id limit ${membershipsMax}`,
    [userId],
  )
  return membershipsOf(rows)
}

function membershipsOf(rows: readonly MembershipRow[]): Principal['memberships'] {
  return rows.flatMap((row) => {
    const { organization_id: organizationId, suspension_reason: suspended, role } = row
    if (!organizationId || !role) return []
    const held = permissionsOf({ role, customPermissions: row.custom_permissions })
    if (suspended === null) return [{ organizationId, role, permissions: held }]
    return [{ organizationId, role, permissions: held & leftWhileSuspended, suspended }]
  })
}
