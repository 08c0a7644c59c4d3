import { forkSystem } from '@sluice/kit/database'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { SluiceError } from '@sluice/schema/errors'
import { type AuthtokenScope, permissionsOfScopes, type Role } from '@sluice/schema/permissions'
import { z } from 'zod'

import type { Deps } from '../context.ts'
import { hashOf, isWellFormed } from '../credential/credential.ts'
import { permissionsOf } from '../role/held-permissions.ts'
import { principalOfSignIn } from './principal-of.ts'

const credentialCharactersMax = 4_096

/** What the gateway asks with. */
export const AuthenticateRequest = z.object({
  credential: z.object({
    kind: z.enum(['sign-in', 'authtoken']),
    token: z.string().max(credentialCharactersMax),
  }),
  ip: z.string().max(64),
})
export type AuthenticateRequest = z.infer<typeof AuthenticateRequest>

export interface Authenticated {
  principal: Principal
  /** ISO time from which the credential is void by itself; null for an authtoken, which does not expire. */
  expiresAt: string | null
}

type AuthenticateDeps = Pick<Deps, 'orm' | 'accessTokens' | 'now'>

/** Says who holds a credential. Throws SLUICE_UNAUTHENTICATED or SLUICE_AUTHTOKEN_INVALID for nobody. */
export function authenticate(
  deps: AuthenticateDeps,
  { credential, ip }: AuthenticateRequest,
): Promise<Authenticated> {
  return credential.kind === 'sign-in'
    ? authenticateSignIn(deps, credential.token)
    : authenticateAuthtoken(deps, credential.token, ip)
}

async function authenticateSignIn(
  { orm, accessTokens, now }: AuthenticateDeps,
  token: string,
): Promise<Authenticated> {
  const accessToken = await accessTokens.verify(token)
  const principal = await principalOfSignIn(forkSystem(orm), accessToken, now())
  if (!principal) throw new SluiceError('SLUICE_UNAUTHENTICATED')
  return { principal, expiresAt: accessToken.expiresAt.toISOString() }
}

interface Row {
  id: string
  organization_id: string
  created_by: string
  scopes: AuthtokenScope[]
  role: Role
  custom_permissions: number | null
  used_lately: boolean | null
}

/** `lastUsedAt` is written at most this often: it is for people, and a write per request is not. */
const lastUsedEveryMs = 60_000

/** An authtoken has the role its maker has now, and dies with their membership. */
async function authenticateAuthtoken(
  { orm, now }: AuthenticateDeps,
  token: string,
  ip: string,
): Promise<Authenticated> {
  if (!isWellFormed('authtoken', token)) throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')
  // The organization is what the authtoken tells.
  const em = forkSystem(orm)
  const before = new Date(now().getTime() - lastUsedEveryMs)
  const [row] = await em.execute<Row[]>(
    `select a.id, a.organization_id, a.created_by, to_json(a.scopes) as scopes, m.role,
       c.permissions as custom_permissions, a.last_used_at > ? as used_lately
     from "identity"."authtoken" a
     join "identity"."member" m on m.organization_id = a.organization_id and m.user_id = a.created_by
     left join "identity"."custom_role" c on c.id = m.custom_role_id
     where a.secret_hash = ? and a.revoked_at is null`,
    [before, hashOf(token)],
  )
  if (!row) throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')
  if (!row.used_lately) {
    await em.execute(
      `update "identity"."authtoken" set last_used_at = ?, last_used_ip = ?
       where id = ? and (last_used_at is null or last_used_at <= ?)`,
      [now(), ip || null, row.id, before],
    )
  }
  return {
    principal: {
      ...anonymous,
      kind: 'authtoken',
      id: row.id,
      userId: row.created_by,
      memberships: [
        {
          organizationId: row.organization_id,
          role: row.role,
          permissions:
            permissionsOf({ role: row.role, customPermissions: row.custom_permissions }) &
            permissionsOfScopes(row.scopes),
        },
      ],
      scopes: row.scopes,
    },
    expiresAt: null,
  }
}
