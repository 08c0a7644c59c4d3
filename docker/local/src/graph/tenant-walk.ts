import {
  authtokenScopes,
  hasPermission,
  permissionSet,
  permissionsOfScopes,
  rolePermissions,
  type AuthtokenScope,
  type Permission,
  type PermissionSet,
  type Role,
} from '@sluice/schema/permissions'

/** What the victim’s organization has, and what is the platform’s. */
export type Thing =
  | 'organization'
  | 'tunnel'
  | 'domain'
  | 'request'
  | 'member'
  | 'role'
  | 'invitation'
  | 'authtoken'
  | 'api-key'
  | 'service-account'
  | 'scim-token'
  | 'scim-group'
  | 'audit-stream'
  | 'sign-in'
  | 'passkey'
  | 'social-link'
  | 'email-domain'
  | 'webhook-endpoint'
  | 'webhook-delivery'
  | 'user'
  | 'impersonation'
  | 'mail'
  | 'relay'
export type Ids = Readonly<Record<Thing, string>>

/** `missing` is null without an error: as if the id were nobody’s. */
export type Verdict = 'allowed' | 'missing' | `SLUICE_${string}`

/** Whom a field is for, where no permission of an organization decides. `owner`: whose sign-in, passkey or link it is. */
type Whom = 'anybody' | 'signed-in' | 'person' | 'member' | 'owner' | 'staff' | 'relay'

/** What one root field declares; how it must answer everybody follows from that. */
export interface Field {
  readonly needs: Permission | Whom
  /** What its `id` is of; the organization if left out. */
  readonly of?: Thing
  /** Who lacks this, too, finds the thing missing. */
  readonly seen?: Permission
  /** It shows null, or an empty list, to those who may not see it, rather than refusing. */
  readonly isNull?: true
  /** It is for people only, whatever an authtoken may do otherwise. */
  readonly forPeople?: true
  /** What the anonymous meet, where it is not the request to sign in. */
  readonly anonymous?: Verdict
  /** Arguments that cannot be made up from their types. */
  readonly with?: (ids: Ids) => Record<string, unknown>
  /** How it ends for those who may, where that is no answer. */
  readonly ends?: Verdict
  /** How it may end for them as well, where that changes while the walk goes on. */
  readonly mayEnd?: Verdict
  /** What is asked of it, where its own fields decide. */
  readonly select?: string
  /** What a subscription listens on in Redis. */
  readonly channel?: (ids: Ids) => string
}

/** Somebody who asks. */
export interface Actor {
  readonly name: string
  /** An API key comes to the public graph; every other field is closed to it. */
  readonly kind: 'person' | 'authtoken' | 'api-key' | 'anonymous'
  /** What they may do in the victim’s organization; null outside of it. */
  readonly permissions: PermissionSet | null
  readonly isStaff?: true
  /** No person stands behind it. */
  readonly isProgram?: true
}

const scopeSets: readonly (readonly AuthtokenScope[])[] = [
  ['TUNNELS_START'],
  ['TUNNELS_READ'],
  ['REQUESTS_READ'],
  ['TUNNELS_START', 'TUNNELS_READ', 'REQUESTS_READ'],
]

export const roleActors: readonly (Actor & { role: Role })[] = (
  ['OWNER', 'ADMIN', 'DEVELOPER', 'BILLING', 'VIEWER'] as const
).map((role) => ({ name: role, role, kind: 'person', permissions: rolePermissions[role] }))
export const authtokenActors: readonly (Actor & { scopes: readonly AuthtokenScope[] })[] =
  scopeSets.map((scopes) => ({
    name: `authtoken ${scopes.join('+')}`,
    scopes,
    kind: 'authtoken',
    permissions: rolePermissions.OWNER & permissionsOfScopes(scopes),
  }))
/** Authtokens of a service account, and what that may do. */
export const serviceActors: readonly (Actor & { role: Role })[] = (
  ['VIEWER', 'DEVELOPER'] as const
).map((role) => ({
  name: `service account ${role}`,
  role,
  kind: 'authtoken',
  isProgram: true,
  permissions: rolePermissions[role] & permissionsOfScopes(authtokenScopes),
}))
export const apiKeyActors: readonly (Actor & { permissionNames: readonly Permission[] })[] = (
  [
    ['tunnels.read'],
    ['domains.manage', 'requests.read'],
    ['tunnels.manage', 'tunnels.read', 'webhooks.read'],
  ] as const
).map((names) => ({
  name: `API key ${names.join('+')}`,
  permissionNames: names,
  kind: 'api-key',
  isProgram: true,
  permissions: permissionSet(names),
}))
/** A member with a custom role that names nothing. */
export const nothing: Actor = { name: 'nothing', kind: 'person', permissions: 0 }
export const stranger: Actor = { name: 'stranger', kind: 'person', permissions: null }
export const staff: Actor = { name: 'staff', kind: 'person', permissions: null, isStaff: true }
export const anonymous: Actor = { name: 'anonymous', kind: 'anonymous', permissions: null }
export const actors: readonly Actor[] = [
  ...roleActors,
  nothing,
  ...authtokenActors,
  ...serviceActors,
  ...apiKeyActors,
  stranger,
  staff,
  anonymous,
]

const missingOf: Record<Thing, Verdict> = {
  organization: 'SLUICE_ORGANIZATION_NOT_FOUND',
  tunnel: 'SLUICE_TUNNEL_NOT_FOUND',
  domain: 'SLUICE_DOMAIN_NOT_FOUND',
  request: 'missing',
  member: 'SLUICE_MEMBER_NOT_FOUND',
  role: 'SLUICE_ROLE_NOT_FOUND',
  invitation: 'SLUICE_INVITATION_NOT_FOUND',
  authtoken: 'SLUICE_AUTHTOKEN_NOT_FOUND',
  'api-key': 'SLUICE_API_KEY_NOT_FOUND',
  'service-account': 'SLUICE_SERVICE_ACCOUNT_NOT_FOUND',
  'scim-token': 'SLUICE_SCIM_TOKEN_NOT_FOUND',
  'scim-group': 'SLUICE_SCIM_GROUP_NOT_FOUND',
  'audit-stream': 'SLUICE_AUDIT_STREAM_NOT_FOUND',
  'sign-in': 'SLUICE_SIGN_IN_NOT_FOUND',
  passkey: 'SLUICE_PASSKEY_NOT_FOUND',
  'social-link': 'SLUICE_SOCIAL_NOT_LINKED',
  'email-domain': 'SLUICE_DOMAIN_NOT_FOUND',
  'webhook-endpoint': 'SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND',
  'webhook-delivery': 'SLUICE_WEBHOOK_DELIVERY_NOT_FOUND',
  user: 'SLUICE_USER_NOT_FOUND',
  impersonation: 'SLUICE_IMPERSONATION_FORBIDDEN',
  mail: 'SLUICE_MAIL_NOT_FOUND',
  relay: 'SLUICE_RELAY_NOT_FOUND',
}

/** How a field must answer somebody; `isPublic`: partners have it, too. */
export function verdictFor(field: Field, actor: Actor, isPublic: boolean): Verdict {
  if (actor.kind === 'api-key' && !isPublic) return 'SLUICE_API_KEY_NOT_HERE'
  const { needs, of = 'organization', isNull, forPeople } = field
  const allowed = field.ends ?? 'allowed'
  if (needs === 'anybody') return allowed
  if (needs === 'relay') return field.anonymous ?? 'SLUICE_RELAY_KEY_INVALID'
  if (actor.kind === 'anonymous') {
    return field.anonymous ?? (isNull ? 'missing' : 'SLUICE_UNAUTHENTICATED')
  }
  if (needs === 'signed-in') return isNull && actor.isProgram ? 'missing' : allowed
  const isPerson = actor.kind === 'person'
  if (needs === 'person') return isPerson ? allowed : 'SLUICE_FORBIDDEN'
  if (needs === 'staff' && actor.isStaff) return allowed
  if (needs === 'staff') return isNull ? 'missing' : 'SLUICE_FORBIDDEN'
  if (needs === 'owner') {
    if (!isPerson) return 'SLUICE_FORBIDDEN'
    return actor.name === 'OWNER' ? allowed : missingOf[of]
  }
  if (forPeople && !isPerson) return 'SLUICE_FORBIDDEN'
  const { permissions } = actor
  if (permissions === null || (field.seen && !hasPermission(permissions, field.seen))) {
    return isNull ? 'missing' : missingOf[of]
  }
  if (needs === 'member' || hasPermission(permissions, needs)) return allowed
  return isNull ? 'missing' : 'SLUICE_FORBIDDEN'
}
