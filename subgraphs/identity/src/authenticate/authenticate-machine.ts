import { forkSystem, type EntityManager } from '@sluice/kit/database'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'
import {
  type AuthtokenScope,
  type PermissionSet,
  permissionsOfScopes,
  type Role,
} from '@sluice/schema/permissions'

import type { Deps } from '../context.ts'
import { isAllowedFrom } from '../credential/credential-terms.ts'
import { hashOf, isWellFormed } from '../credential/credential.ts'
import { permissionsOf } from '../role/held-permissions.ts'
import type { Authenticated } from './authenticate.ts'

type MachineDeps = Pick<Deps, 'orm' | 'now' | 'seeCredential'>

interface CredentialRow {
  id: string
  name: string
  organization_id: string
  expires_at: string | null
  allowed_ips: string[]
  /** Whom it acts for has a role; null for an API key that stands for itself. */
  role: Role | null
  custom_permissions: PermissionSet | null
  /** Why staff has suspended the organization. */
  suspension_reason: string | null
  used_lately: boolean | null
  unused: boolean
}

interface AuthtokenRow extends CredentialRow {
  user_id: string | null
  scopes: AuthtokenScope[]
  /** Why staff has suspended whoever made it. */
  user_suspension_reason: string | null
}

/** What both kinds of credential tell, from a row `a`, a service account `s` and a custom role `c`. */
const columns = `a.id, a.name, a.organization_id, o.suspension_reason, a.expires_at, to_json(a.allowed_ips) as allowed_ips,
  c.permissions as custom_permissions, a.last_used_at > ? as used_lately, a.last_used_at is null as unused`

/** `lastUsedAt` is written at most this often: it is for people, and a write per request is not. */
const lastUsedEveryMs = 60_000

/**
 * An authtoken has the rights that its maker, or its service account, has now, and dies with the membership of the one or
 * the end of the other.
 */
export async function authenticateAuthtoken(
  deps: MachineDeps,
  token: string,
  ip: string,
): Promise<Authenticated> {
  if (!isWellFormed('authtoken', token)) throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')
  // The organization is what the authtoken tells.
  const em = forkSystem(deps.orm)
  const [row] = await em.execute<AuthtokenRow[]>(
    `select ${columns}, m.user_id, coalesce(s.role, m.role) as role, to_json(a.scopes) as scopes,
       u.suspension_reason as user_suspension_reason
     from "identity"."authtoken" a
     join "identity"."organization" o on o.id = a.organization_id
     left join "identity"."service_account" s on s.id = a.service_account_id and s.disabled_at is null
     left join "identity"."member" m on a.service_account_id is null
       and m.organization_id = a.organization_id and m.user_id = a.created_by
     left join "identity"."user" u on u.id = m.user_id
     left join "identity"."custom_role" c on c.id = coalesce(s.custom_role_id, m.custom_role_id)
     where a.secret_hash = ? and a.revoked_at is null`,
    [lastUsedBefore(deps), hashOf(token)],
  )
  if (!row?.role) throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')
  if (row.user_suspension_reason !== null) {
    throw new SluiceError('SLUICE_USER_SUSPENDED', { reason: row.user_suspension_reason })
  }
  assertTerms(row, ip, deps.now(), ['SLUICE_AUTHTOKEN_EXPIRED', 'SLUICE_AUTHTOKEN_IP_REFUSED'])
  await noteUse(em, 'authtoken', row, ip, deps)
  const held = permissionsOf({ role: row.role, customPermissions: row.custom_permissions })
  return authenticatedAs(row, row.role, held & permissionsOfScopes(row.scopes), {
    kind: 'authtoken',
    userId: row.user_id,
    scopes: row.scopes,
  })
}

interface ApiKeyRow extends CredentialRow {
  permissions: PermissionSet
  requests_per_minute: number | null
  service_account_id: string | null
}

/** An API key has what it was given, whatever has become of its maker; one of a service account no more than that may do. */
export async function authenticateApiKey(
  deps: MachineDeps,
  token: string,
  ip: string,
): Promise<Authenticated> {
  if (!isWellFormed('api-key', token)) throw new SluiceError('SLUICE_API_KEY_INVALID')
  const em = forkSystem(deps.orm)
  const [row] = await em.execute<ApiKeyRow[]>(
    `select ${columns}, a.permissions, a.requests_per_minute, a.service_account_id, s.role
     from "identity"."api_key" a
     join "identity"."organization" o on o.id = a.organization_id
     left join "identity"."service_account" s on s.id = a.service_account_id and s.disabled_at is null
     left join "identity"."custom_role" c on c.id = s.custom_role_id
     where a.secret_hash = ? and a.revoked_at is null`,
    [lastUsedBefore(deps), hashOf(token)],
  )
  if (!row || (row.service_account_id !== null && row.role === null)) {
    throw new SluiceError('SLUICE_API_KEY_INVALID')
  }
  assertTerms(row, ip, deps.now(), ['SLUICE_API_KEY_EXPIRED', 'SLUICE_API_KEY_IP_REFUSED'])
  await noteUse(em, 'api_key', row, ip, deps)
  const held = row.role
    ? permissionsOf({ role: row.role, customPermissions: row.custom_permissions })
    : row.permissions
  // A key has no role. What looks at one all the same finds the least.
  return authenticatedAs(row, 'VIEWER', held & row.permissions, {
    kind: 'api-key',
    ...(row.requests_per_minute === null ? {} : { requestsPerMinute: row.requests_per_minute }),
  })
}

function authenticatedAs(
  { id, organization_id: organizationId, expires_at }: CredentialRow,
  role: Role,
  permissions: PermissionSet,
  rest: Pick<Principal, 'kind'> & Partial<Principal>,
): Authenticated {
  const expiresAt = expires_at === null ? null : new Date(expires_at).toISOString()
  const principal: Principal = {
    ...anonymous,
    ...rest,
    id,
    memberships: [{ organizationId, role, permissions }],
    ...(expiresAt === null ? {} : { expiresAt }),
  }
  return { principal, expiresAt }
}

/** Only whoever shows the secret learns why it is refused. */
function assertTerms(
  { expires_at, allowed_ips, suspension_reason: reason }: CredentialRow,
  ip: string,
  now: Date,
  [expired, refused]: [expired: ErrorCode, refused: ErrorCode],
): void {
  if (reason !== null) throw new SluiceError('SLUICE_ORGANIZATION_SUSPENDED', { reason })
  if (expires_at !== null && new Date(expires_at) <= now) throw new SluiceError(expired)
  if (!isAllowedFrom(allowed_ips, ip)) {
    throw new SluiceError(refused, { ip: ip || 'an unknown address' })
  }
}

function lastUsedBefore({ now }: MachineDeps): Date {
  return new Date(now().getTime() - lastUsedEveryMs)
}

/** The first use of a successor also shows in the ledger that the rotation has worked. */
async function noteUse(
  em: EntityManager,
  table: 'authtoken' | 'api_key',
  { id, name, organization_id: organizationId, used_lately, unused }: CredentialRow,
  ip: string,
  deps: MachineDeps,
): Promise<void> {
  if (used_lately) return
  await em.execute(
    `update "identity"."${table}" set last_used_at = ?, last_used_ip = ?
     where id = ? and (last_used_at is null or last_used_at <= ?)`,
    [deps.now(), ip || null, id, lastUsedBefore(deps)],
  )
  await deps.seeCredential({ id, name, organizationId, ip })
  if (!unused) return
  await em.execute(
    `update "identity"."secret_rotations" set verified_at = ?
     where successor_id = ? and verified_at is null`,
    [deps.now(), id],
  )
}
