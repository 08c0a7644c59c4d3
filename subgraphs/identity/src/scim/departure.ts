import type { EntityManager } from '@sluice/kit/database'

import type { Member } from '../organization/member.entity.ts'

type Person = Pick<Member, 'organizationId' | 'userId'>

/** Remembers whom an identity provider has deleted, for its row of them is gone. */
export async function noteDeparture(
  em: EntityManager,
  { organizationId, userId }: Person,
  at: Date,
): Promise<void> {
  await em.execute(
    `insert into "identity"."scim_departure" (id, organization_id, user_id, at) values (?, ?, ?, ?)
     on conflict (organization_id, user_id) do update set at = excluded.at`,
    [crypto.randomUUID(), organizationId, userId, at],
  )
}

/** Whoever is taken in again has not departed. */
export async function forgetDeparture(
  em: EntityManager,
  { organizationId, userId }: Person,
): Promise<void> {
  await em.execute(
    `delete from "identity"."scim_departure" where organization_id = ? and user_id = ?`,
    [organizationId, userId],
  )
}

/**
 * Whether somebody who is no member may not become one by signing in: while an organization has a SCIM token that works,
 * whom SCIM knows, or has deleted, comes in by SCIM or by an invitation. The caller has locked the organization, as SCIM does
 * for every change: of the two one sees what the other did.
 */
export async function isLeftToScim(
  em: EntityManager,
  { organizationId, userId }: Person,
  now: Date,
): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    `select 1 where exists (select 1 from "identity"."scim_token"
         where organization_id = ? and revoked_at is null and (expires_at is null or expires_at > ?))
       and (exists (select 1 from "identity"."scim_user" where organization_id = ? and user_id = ?)
         or exists (select 1 from "identity"."scim_departure" where organization_id = ? and user_id = ?))`,
    [organizationId, now, organizationId, userId, organizationId, userId],
  )
  return rows.length > 0
}
