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
