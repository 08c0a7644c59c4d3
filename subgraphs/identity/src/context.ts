import type { Attempts } from '@sluice/kit/attempts'
import { forkFor, type EntityManager, type Orm } from '@sluice/kit/database'
import type { Guard } from '@sluice/kit/guarded-fetch'
import type { ObjectStore } from '@sluice/kit/object-store'
import { anonymous, type Principal } from '@sluice/kit/principal'
import type { Sealer } from '@sluice/kit/sealer'
import type { Caller } from '@sluice/kit/subgraph'
import { isUuid } from '@sluice/kit/uuid'
import type { PermissionSet } from '@sluice/schema/permissions'
import DataLoader from 'dataloader'

import type { BreachedPasswords } from './account/breached-passwords.ts'
import type { Watch } from './anomaly/open-watch.ts'
import type { HeadKeys } from './audit/signed-heads.ts'
import { heldPermissions } from './organization/held-by-member.ts'
import { Organization } from './organization/organization.entity.ts'
import type { Revocations } from './revocations.ts'
import { CustomRole } from './role/custom-role.entity.ts'
import { countHolders } from './role/role-holders.ts'
import type { SigningKeyRotation } from './rotation/rotate-signing-keys.ts'
import { ServiceAccount } from './service-account/service-account.entity.ts'
import type { AccessTokens } from './sign-in/access-token.ts'
import type { Passwords } from './sign-in/password.ts'
import type { RefreshCookie } from './sign-in/refresh-cookie.ts'
import type { RefreshTokens } from './sign-in/refresh-token.ts'
import type { Social } from './social/social.ts'
import type { Sso } from './sso/sso.ts'
import type { User } from './user/user.entity.ts'
import { findVisibleUsers } from './user/user.ts'

/** What the rules need, made once per server. */
export interface Deps extends Watch {
  readonly orm: Orm
  readonly passwords: Passwords
  readonly breachedPasswords: BreachedPasswords
  readonly attempts: Attempts
  /** Seals the secrets of second factors. */
  readonly sealer: Sealer
  readonly consoleOrigin: string
  /** No member of staff acts as somebody else for longer. */
  readonly impersonationMsMax: number
  /** For so long after it was sent an invitation can be accepted. */
  readonly invitationLifeMs: number
  readonly accessTokens: AccessTokens
  readonly refreshTokens: RefreshTokens
  readonly signingKeyRotation: Pick<SigningKeyRotation, 'begin'>
  readonly refreshCookie: RefreshCookie
  /** Providers whose accounts can sign in here. */
  readonly social: Social
  /** Single sign-on of organizations. */
  readonly sso: Sso
  readonly revocations: Revocations
  /** Sign the heads of the audit's chains. */
  readonly headKeys: HeadKeys
  /** How addresses that tenants name are asked. */
  readonly guard: Guard
  /** Where signed heads are exported to; undefined: nowhere. */
  readonly objects: ObjectStore | undefined
  /** Publishes recorded events now instead of at the next poll. */
  readonly wakeOutbox: () => void
  /** Sends recorded mails now instead of at the next look. */
  readonly wakeMail: () => void
  readonly now: () => Date
}

/** One request. Whoever signs in during it is the principal from there on. */
export interface Context extends Deps {
  principal: Principal
  /** Sees the principal's organizations only. */
  em: EntityManager
  users: DataLoader<string, User | null>
  organizations: DataLoader<string, Organization | null>
  customRoles: DataLoader<string, CustomRole | null>
  /** How many members have a custom role. */
  roleHolders: DataLoader<string, number>
  serviceAccounts: DataLoader<string, ServiceAccount | null>
  /** What a member may do, by `<organizationId>:<userId>`; null for who is none. */
  memberPermissions: DataLoader<string, PermissionSet | null>
  readonly visitorIp: string
  /** What the browser calls itself. */
  readonly userAgent: string
  readonly refreshToken: string | null
  /** Puts the cookie with this refresh token on the answer, or takes it away. */
  readonly setRefreshToken: (token: { text: string; expiresAt: Date } | null) => void
  /** Puts another cookie on the answer: a whole `Set-Cookie` value. */
  readonly setCookie: (value: string) => void
}

/** The gateway copies this header's value into the client's `set-cookie`. */
const setCookieHeader = 'x-sluice-set-cookie'
/** The gateway puts the value of the refresh cookie here. */
export const refreshTokenHeader = 'x-sluice-refresh-token'
/** The gateway puts the browser's `user-agent` here. */
export const userAgentHeader = 'x-sluice-user-agent'
const userAgentCharactersMax = 300

export function createContext(deps: Deps, caller: Caller): Context {
  return {
    ...deps,
    ...scopeOf(deps.orm, caller.principal),
    visitorIp: caller.visitorIp,
    userAgent: (caller.header(userAgentHeader) ?? '').slice(0, userAgentCharactersMax),
    refreshToken: caller.header(refreshTokenHeader),
    setRefreshToken: (token) =>
      caller.setHeader(setCookieHeader, deps.refreshCookie.header(token, deps.now())),
    setCookie: (value) => caller.setHeader(setCookieHeader, value),
  }
}

/** Goes on as another principal: after signing in, or after its memberships changed. */
export function becomePrincipal(context: Context, principal: Principal = anonymous): void {
  Object.assign(context, scopeOf(context.orm, principal))
}

function scopeOf(orm: Orm, principal: Principal) {
  const em = forkFor(orm, principal)
  return {
    principal,
    em,
    users: loaderOf((ids) => findVisibleUsers(em, principal, ids)),
    organizations: loaderOf((ids) => em.find(Organization, { id: { $in: ids.filter(isUuid) } })),
    customRoles: loaderOf((ids) => em.find(CustomRole, { id: { $in: ids.filter(isUuid) } })),
    roleHolders: new DataLoader<string, number>((ids) => countHolders(em, ids)),
    serviceAccounts: loaderOf((ids) =>
      em.find(ServiceAccount, { id: { $in: ids.filter(isUuid) } }),
    ),
    memberPermissions: new DataLoader<string, PermissionSet | null>((keys) =>
      heldPermissions(em, keys),
    ),
  }
}

/** References of a whole list are loaded by one query; what is missing or not visible is null. */
function loaderOf<T extends { id: string }>(find: (ids: readonly string[]) => Promise<T[]>) {
  return new DataLoader<string, T | null>(async (ids) => {
    const found = new Map((await find(ids)).map((one) => [one.id, one]))
    return ids.map((id) => found.get(id.toLowerCase()) ?? null)
  })
}
