import type { EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'
import type { Revocation } from '@sluice/schema/redis'

import { recordAct } from '../audit/audit.ts'
import type { User } from '../user/user.entity.ts'
import { authtokenKind, commonOf, type Credential, type Kind } from './credential-kinds.ts'
import type { RevokeReason } from './credential-properties.ts'

interface RevokeAct {
  /** Null for the platform. */
  actor: Pick<User, 'id' | 'name'> | null
  ip: string
  at: Date
  reason?: RevokeReason
}

export type Revoked = Pick<Revocation, 'kind' | 'id'>

/**
 * Revokes credentials of a kind and answers those that were good. Part of the caller's transaction, who publishes them after
 * it. Of two that revoke one at once, one finds it: it is audited and told once.
 */
export async function revokeCredentials<Row extends Credential>(
  em: EntityManager,
  kind: Kind<Row>,
  rows: readonly Row[],
  { actor, ip, at, reason = 'revoked' }: RevokeAct,
): Promise<Revoked[]> {
  const { name: type, entity } = commonOf(kind)
  const revoked: Revoked[] = []
  for (const { id, name, organizationId } of rows) {
    const ending = { revokedAt: at, revokedReason: reason }
    if ((await em.nativeUpdate(entity, { id, revokedAt: null }, ending)) === 0) continue
    revoked.push({ kind: type, id })
    recordAct(em, {
      action: `${type}.revoked`,
      actor,
      organizationId,
      target: { type, id },
      details: reason === 'revoked' ? name : `${name} (${reason})`,
      ip,
      at,
    })
    // Tunnels ends the sessions of an authtoken; nobody else holds anything of an API key.
    if (type === 'authtoken') {
      recordEvent(em, 'authtoken.revoked', `authtoken:${id}`, { organizationId, authtokenId: id })
    }
  }
  return revoked
}

/** Revokes the authtokens that a member made for themselves in an organization that they leave. Answers the ids. */
export async function revokeAuthtokensOf(
  em: EntityManager,
  { organizationId, userId, ...act }: RevokeAct & { organizationId: string; userId: string },
): Promise<string[]> {
  const own = { organizationId, createdBy: userId, serviceAccountId: null, revokedAt: null }
  const found = await em.find(authtokenKind.entity, own)
  const revoked = await revokeCredentials(em, authtokenKind, found, {
    reason: 'owner-gone',
    ...act,
  })
  return revoked.map(({ id }) => id)
}
