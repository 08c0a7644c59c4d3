import { forkSystem, type Orm } from '@sluice/kit/database'
import type { InternalKey } from '@sluice/kit/internal-token'

import { recordAct } from '../audit/audit.ts'
import { SecretRotation } from './secret-rotation.entity.ts'

/**
 * Puts into the ledger that a gateway signs with another key of its own. It has just been seen to verify. Every replica
 * hears of it, and one of them writes.
 */
export async function noteInternalKey(
  orm: Orm,
  { kid, replaces, endsAt }: InternalKey,
  at: Date,
): Promise<void> {
  // The first key of a process took nothing's place.
  if (replaces === null) return
  await forkSystem(orm).transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`sluice:${kid}`])
    if ((await em.count(SecretRotation, { kind: 'internal-key', successorId: kid })) > 0) return
    const rotation = em.create(SecretRotation, {
      organizationId: null,
      kind: 'internal-key',
      secretId: replaces,
      successorId: kid,
      at,
      by: null,
      // The old one was made before, and lives no longer.
      oldEndsAt: endsAt,
      finishedAt: null,
      verifiedAt: at,
    })
    em.persist(rotation)
    recordAct(em, {
      action: 'internal-key.rotated',
      actor: null,
      organizationId: null,
      target: { type: 'signing-key', id: kid },
      details: `in place of ${replaces}`,
      ip: '',
      at,
    })
    await em.flush()
  })
}
