import type { EntityManager } from '@sluice/kit/database'
import { recordEvent } from '@sluice/kit/outbox'

import { recordAct } from '../audit/audit.ts'
import type { RevokeReason } from '../credential/credential-properties.ts'
import type { User } from '../user/user.entity.ts'
import { Authtoken } from './authtoken.entity.ts'

export interface RevokeAct {
  /** Null for the platform. */
  actor: Pick<User, 'id' | 'name'> | null
  ip: string
  at: Date
  reason?: RevokeReason
}

/**
 * Revokes authtokens and answers the ids of those that were good. Part of the caller's transaction, who publishes them after
 * it. Of two that revoke one at once, one finds it: it is audited and told once.
 */
export async function revokeAuthtokens(
  em: EntityManager,
  authtokens: readonly Authtoken[],
  { actor, ip, at, reason = 'revoked' }: RevokeAct,
): Promise<string[]> {
  const revoked: string[] = []
  for (const { id, name, organizationId } of authtokens) {
    const changed = await em.nativeUpdate(
      Authtoken,
      { id, revokedAt: null },
      { revokedAt: at, revokedReason: reason },
    )
    if (changed === 0) continue
    revoked.push(id)
    recordAct(em, {
      action: 'authtoken.revoked',
      actor,
      organizationId,
      target: { type: 'authtoken', id },
      details: reason === 'revoked' ? name : `${name} (${reason})`,
      ip,
      at,
    })
    recordEvent(em, 'authtoken.revoked', `authtoken:${id}`, { organizationId, authtokenId: id })
  }
  return revoked
}

/** Revokes what a member made for themselves in an organization that they leave. Returns the ids. */
export async function revokeAuthtokensOf(
  em: EntityManager,
  { organizationId, userId, ...act }: RevokeAct & { organizationId: string; userId: string },
): Promise<string[]> {
  const found = await em.find(Authtoken, {
    organizationId,
    createdBy: userId,
    serviceAccountId: null,
    revokedAt: null,
  })
  return revokeAuthtokens(em, found, { reason: 'owner-gone', ...act })
}
