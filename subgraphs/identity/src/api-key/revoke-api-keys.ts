import type { EntityManager } from '@sluice/kit/database'

import { recordAct } from '../audit/audit.ts'
import type { RevokeAct } from '../authtoken/revoke-authtokens.ts'
import { ApiKey } from './api-key.entity.ts'

/** Revokes API keys and answers the ids of those that were good. Part of the caller's transaction, who publishes them after it. */
export async function revokeApiKeys(
  em: EntityManager,
  keys: readonly ApiKey[],
  { actor, ip, at, reason = 'revoked' }: RevokeAct,
): Promise<string[]> {
  const revoked: string[] = []
  for (const { id, name, organizationId } of keys) {
    const changed = await em.nativeUpdate(
      ApiKey,
      { id, revokedAt: null },
      { revokedAt: at, revokedReason: reason },
    )
    if (changed === 0) continue
    revoked.push(id)
    recordAct(em, {
      action: 'api-key.revoked',
      actor,
      organizationId,
      target: { type: 'api-key', id },
      details: reason === 'revoked' ? name : `${name} (${reason})`,
      ip,
      at,
    })
  }
  return revoked
}
