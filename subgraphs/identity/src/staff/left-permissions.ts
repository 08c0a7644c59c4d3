import { permissionNames, permissionSet, type PermissionSet } from '@sluice/schema/permissions'

/** What members of a suspended organization may do still: see that it is, why, what waits, and what they owe. */
export const leftWhileSuspended: PermissionSet = permissionSet([
  'organization.read',
  'members.read',
  'webhooks.read',
  'audit.read',
  'security.read',
  'billing.read',
])

/** What a member of staff sees in the place of a member: nothing that visitors have sent, and nothing that can be carried away. */
const seen = permissionNames.filter((name) => name.endsWith('.read') && name !== 'bodies.read')

/** What staff may change in the place of a member, if it was asked for: what is served, never who enters or who pays. */
const changed = ['tunnels.manage', 'domains.manage'] as const

export function leftToStaff(held: PermissionSet, mayChange: boolean): PermissionSet {
  return held & permissionSet(mayChange ? [...seen, ...changed] : seen)
}
