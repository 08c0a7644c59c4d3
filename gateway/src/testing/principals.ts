import { anonymous, type Principal } from '@sluice/kit/principal'
import { rolePermissions } from '@sluice/schema/permissions'

/** A signed-in member of an organization of their own. */
export function memberPrincipal(options: { isAdmin?: boolean } = {}): Principal {
  const userId = crypto.randomUUID()
  return {
    ...anonymous,
    kind: 'user',
    id: userId,
    userId,
    signInId: crypto.randomUUID(),
    isAdmin: options.isAdmin ?? false,
    memberships: [
      { organizationId: crypto.randomUUID(), role: 'OWNER', permissions: rolePermissions.OWNER },
    ],
  }
}

/** An API key of an organization of its own. */
export function apiKeyPrincipal(options: Pick<Principal, 'requestsPerMinute'> = {}): Principal {
  const organizationId = crypto.randomUUID()
  const membership = {
    organizationId,
    role: 'DEVELOPER' as const,
    permissions: rolePermissions.DEVELOPER,
  }
  return {
    ...anonymous,
    kind: 'api-key',
    id: crypto.randomUUID(),
    memberships: [membership],
    ...options,
  }
}
