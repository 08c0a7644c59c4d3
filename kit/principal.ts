import { SluiceError } from '@sluice/schema/errors'
import { z } from 'zod'

export const roles = ['VIEWER', 'DEVELOPER', 'ADMIN', 'OWNER'] as const
export type Role = (typeof roles)[number]

export const authtokenScopes = ['TUNNELS_START', 'TUNNELS_READ', 'REQUESTS_READ'] as const
export type AuthtokenScope = (typeof authtokenScopes)[number]

/** Who is asking, decided once by the gateway and carried to every subgraph in the internal header. */
export const Principal = z.object({
  kind: z.enum(['anonymous', 'user', 'authtoken', 'relay', 'gateway']),
  /** The user's, authtoken's or relay key's id; empty for the anonymous. */
  id: z.string(),
  /** The person behind it; for an authtoken the member who made it. */
  userId: z.uuid().nullable(),
  signInId: z.uuid().nullable(),
  /** Staff of the platform, outside all organizations. */
  isAdmin: z.boolean(),
  memberships: z.array(z.object({ organizationId: z.uuid(), role: z.enum(roles) })).max(200),
  /** What an authtoken may do. Empty for people: their role decides. */
  scopes: z.array(z.enum(authtokenScopes)),
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

export function isAtLeast(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least)
}

/** The ids of the organizations whose rows this principal may read. */
export function organizationIdsOf(principal: Principal): string[] {
  return principal.memberships.map((one) => one.organizationId)
}

export function assertSignedIn(
  principal: Principal,
): asserts principal is Principal & { userId: string } {
  if (principal.kind === 'anonymous' || principal.userId === null) {
    throw new SluiceError('SLUICE_UNAUTHENTICATED')
  }
}

/**
 * Throws unless the principal has at least this role in the organization and, being an authtoken, the scope. An
 * organization of others counts as missing. Without `scope` an authtoken may never do it.
 */
export function assertMay(
  principal: Principal,
  organizationId: string,
  least: Role,
  scope?: AuthtokenScope,
): void {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const role = roleIn(principal, organizationId)
  if (role === null) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
  if (!isAtLeast(role, least)) throw new SluiceError('SLUICE_FORBIDDEN')
  if (principal.kind === 'authtoken' && (!scope || !principal.scopes.includes(scope))) {
    throw new SluiceError('SLUICE_FORBIDDEN')
  }
}

/** The same as a question, for fields that are null rather than an error. */
export function may(
  principal: Principal,
  organizationId: string,
  least: Role,
  scope?: AuthtokenScope,
): boolean {
  const role = roleIn(principal, organizationId)
  if (role === null || !isAtLeast(role, least)) return false
  return principal.kind !== 'authtoken' || (scope !== undefined && principal.scopes.includes(scope))
}
