/**
 * Everything that somebody may be allowed to do in an organization. The order is the bit of a `PermissionSet`, which
 * processes of two releases exchange: add at the end, never move or reuse. At most 31.
 */
export const permissions = {
  'organization.read': 'See the organization itself.',
  'organization.update': 'Rename the organization and change its settings.',
  'organization.delete': 'Delete the organization, or give it to another owner.',
  'members.read': 'See who is in it, with which role.',
  'members.manage': 'Invite, add and remove members, and change their roles.',
  'roles.manage': 'Make, change and delete custom roles.',
  'service-accounts.manage': 'Make, change and delete service accounts.',
  'authtokens.read': 'See the authtokens of everybody.',
  'authtokens.create': 'Make authtokens of one’s own.',
  'authtokens.manage': 'Revoke and rotate the authtokens of others.',
  'api-keys.read': 'See the API keys.',
  'api-keys.manage': 'Make, rotate and revoke API keys.',
  'webhooks.read': 'See webhook endpoints and what was delivered to them.',
  'webhooks.manage': 'Make, change and delete webhook endpoints, and send again.',
  'audit.read': 'Read, search, verify and export the audit log.',
  'audit.manage': 'Have the audit log streamed elsewhere.',
  'security.read': 'See anomalies.',
  'sso.manage': 'Set up single sign-on, verified email domains and SCIM.',
  'tunnels.read': 'See tunnels and follow their status.',
  'tunnels.manage': 'Create, change, start, stop and delete tunnels.',
  'requests.read': 'Read and follow the request log.',
  'bodies.read': 'Read captured bodies.',
  'domains.read': 'See custom domains and their certificates.',
  'domains.manage': 'Add, verify, attach and remove custom domains, and upload certificates.',
  'billing.read': 'See plan, usage and invoices.',
  'billing.manage': 'Change the plan and how it is paid.',
} as const

export type Permission = keyof typeof permissions

export const permissionNames = Object.keys(permissions) as Permission[]

/** Permissions as bits, in the order of `permissions`. */
export type PermissionSet = number

export function permissionSet(names: Iterable<Permission>): PermissionSet {
  let set = 0
  for (const name of names) set |= 1 << permissionNames.indexOf(name)
  return set
}

export function hasPermission(set: PermissionSet, name: Permission): boolean {
  return (set & (1 << permissionNames.indexOf(name))) !== 0
}

/** Whether nothing of `inner` goes beyond `outer`: who may do the one may do the other. */
export function covers(outer: PermissionSet, inner: PermissionSet): boolean {
  return (outer & inner) === inner
}

export function namesOf(set: PermissionSet): Permission[] {
  return permissionNames.filter((name) => hasPermission(set, name))
}

export const roles = ['VIEWER', 'BILLING', 'DEVELOPER', 'ADMIN', 'OWNER'] as const
export type Role = (typeof roles)[number]

const viewer = [
  'organization.read',
  'members.read',
  'authtokens.read',
  'tunnels.read',
  'requests.read',
  'domains.read',
  'billing.read',
] as const satisfies readonly Permission[]
const billing = [
  'organization.read',
  'members.read',
  'billing.read',
  'billing.manage',
] as const satisfies readonly Permission[]
const developer = [
  ...viewer,
  'authtokens.create',
  'webhooks.read',
  'tunnels.manage',
  'bodies.read',
  'domains.manage',
] as const satisfies readonly Permission[]
/** What only owners do, and who looks after the money. */
const notForAdmins: readonly Permission[] = ['organization.delete', 'billing.manage']

/** What each role may do. No role may do what its column does not name. */
export const rolePermissions: Readonly<Record<Role, PermissionSet>> = {
  VIEWER: permissionSet(viewer),
  BILLING: permissionSet(billing),
  DEVELOPER: permissionSet(developer),
  ADMIN: permissionSet(permissionNames.filter((name) => !notForAdmins.includes(name))),
  OWNER: permissionSet(permissionNames),
}

export const authtokenScopes = ['TUNNELS_START', 'TUNNELS_READ', 'REQUESTS_READ'] as const
export type AuthtokenScope = (typeof authtokenScopes)[number]

const scopePermissions: Readonly<Record<AuthtokenScope, readonly Permission[]>> = {
  TUNNELS_START: ['tunnels.manage'],
  TUNNELS_READ: ['organization.read', 'tunnels.read', 'domains.read', 'billing.read'],
  REQUESTS_READ: ['requests.read', 'bodies.read'],
}

/** What an authtoken with these scopes may do at most: its maker must be allowed to, too. */
export function permissionsOfScopes(scopes: readonly AuthtokenScope[]): PermissionSet {
  return permissionSet(scopes.flatMap((scope) => scopePermissions[scope]))
}
