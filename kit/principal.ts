import { SluiceError } from '@sluice/schema/errors'
import {
  authtokenScopes,
  hasPermission,
  roles,
  type Permission,
  type PermissionSet,
  type Role,
} from '@sluice/schema/permissions'
import { z } from 'zod'

/** Who is asking, decided once by the gateway and carried to every subgraph in the internal header. */
export const Principal = z.object({
  kind: z.enum(['anonymous', 'user', 'authtoken', 'api-key', 'relay', 'gateway']),
  /** The user's, authtoken's, API key's or relay key's id; empty for the anonymous. */
  id: z.string(),
  /** The person behind it; for an authtoken the member who made it. Null for service accounts and API keys. */
  userId: z.uuid().nullable(),
  signInId: z.uuid().nullable(),
  /** Staff of the platform, outside all organizations. */
  isAdmin: z.boolean(),
  /** `permissions`: what this credential may do there, as bits. Identity has decided it: nobody looks at the role for that. */
  memberships: z
    .array(
      z.object({
        organizationId: z.uuid(),
        role: z.enum(roles),
        permissions: z.number().int().nonnegative(),
        /** Why staff has suspended the organization: `permissions` are the few that are left. */
        suspended: z.string().max(500).optional(),
      }),
    )
    .max(200),
  /** The scopes of an authtoken, to be shown. Empty for people. */
  scopes: z.array(z.enum(authtokenScopes)),
  /** When an authtoken or API key ends by itself: what is issued on its strength ends no later. Absent when it does not. */
  expiresAt: z.iso.datetime().optional(),
  /** The member of staff who acts as this user, and the sign-in of theirs that it hangs on. */
  impersonatedBy: z
    .object({
      userId: z.uuid(),
      signInId: z.uuid(),
      name: z.string().max(100),
      /** Whether anything may be changed at all. */
      mayChange: z.boolean(),
    })
    .optional(),
  /** What an API key may ask of the public graph. Absent: as much as any key. */
  requestsPerMinute: z.number().int().positive().optional(),
})
export type Principal = z.infer<typeof Principal>

export const anonymous: Principal = {
  kind: 'anonymous',
  id: '',
  userId: null,
  signInId: null,
  isAdmin: false,
  memberships: [],
  scopes: [],
}

/** The gateway speaking for itself, to authenticate a credential. */
export const gatewayPrincipal: Principal = { ...anonymous, kind: 'gateway', id: 'gateway' }

/** The role of whoever asks in an organization, or null. */
export function roleIn(principal: Principal, organizationId: string): Role | null {
  return principal.memberships.find((one) => one.organizationId === organizationId)?.role ?? null
}

/** The ids of the organizations whose rows this principal may read. */
export function organizationIdsOf(principal: Principal): string[] {
  return principal.memberships.map((one) => one.organizationId)
}

/** Throws SLUICE_UNAUTHENTICATED for nobody, and SLUICE_FORBIDDEN for a program behind which no person stands. */
export function assertSignedIn(
  principal: Principal,
): asserts principal is Principal & { userId: string } {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  if (principal.userId === null) throw new SluiceError('SLUICE_FORBIDDEN')
}

/** Throws unless the principal may do this in the organization. An organization of others counts as missing. */
export function assertMay(
  principal: Principal,
  organizationId: string,
  permission: Permission,
): void {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  if (roleIn(principal, organizationId) === null) {
    throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  }
  if (may(principal, organizationId, permission)) return
  throw refusalIn(principal, organizationId)
}

function refusalIn(
  { memberships, impersonatedBy }: Principal,
  organizationId: string,
): SluiceError {
  const reason = memberships.find((one) => one.organizationId === organizationId)?.suspended
  if (reason !== undefined) return new SluiceError('SLUICE_ORGANIZATION_SUSPENDED', { reason })
  return new SluiceError(impersonatedBy ? 'SLUICE_IMPERSONATION_FORBIDDEN' : 'SLUICE_FORBIDDEN')
}

/** The same as a question, for fields that are null rather than an error. */
export function may(principal: Principal, organizationId: string, permission: Permission): boolean {
  return hasPermission(permissionsIn(principal, organizationId), permission)
}

/** Everything that the principal may do in an organization: nothing in one of others. */
export function permissionsIn(principal: Principal, organizationId: string): PermissionSet {
  const membership = principal.memberships.find((one) => one.organizationId === organizationId)
  return membership?.permissions ?? 0
}
