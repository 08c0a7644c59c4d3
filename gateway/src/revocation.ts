import type { Principal } from '@sluice/kit/principal'
import { covers } from '@sluice/schema/permissions'
import { Revocation } from '@sluice/schema/redis'

/** Whether what was revoked is, or may be, what this principal stands on. */
export function isRevoked(principal: Principal, { kind, id }: Revocation): boolean {
  const { userId } = principal
  const concerns: Record<Revocation['kind'], () => boolean> = {
    authtoken: () => principal.kind === 'authtoken' && principal.id === id,
    'api-key': () => principal.kind === 'api-key' && principal.id === id,
    'sign-in': () => principal.signInId === id || principal.impersonatedBy?.signInId === id,
    user: () => userId === id || principal.impersonatedBy?.userId === id,
    // `<organizationId>:<userId>`: whoever holds the user's older list of memberships asks again.
    membership: () => userId !== null && id.endsWith(`:${userId}`),
    // Looked at again, too: of an organization that was suspended, members keep a little.
    organization: () => principal.memberships.some(({ organizationId }) => organizationId === id),
    tunnel: () => false,
    host: () => false,
  }
  return concerns[kind]()
}

/** Whether everything that was allowed before is allowed still: what was opened then may stay open. */
export function keepsRights(before: Principal, now: Principal): boolean {
  const memberships = before.memberships.every(({ organizationId, permissions }) => {
    const held = now.memberships.find((one) => one.organizationId === organizationId)
    return held !== undefined && covers(held.permissions, permissions)
  })
  const scopes = before.scopes.every((scope) => now.scopes.includes(scope))
  return memberships && scopes && (now.isAdmin || !before.isAdmin)
}

/** A message of the revocations channel, or null for what is none. */
export function parseRevocation(message: string): Revocation | null {
  try {
    return Revocation.parse(JSON.parse(message))
  } catch {
    return null
  }
}
