import { forkSystem, type Orm } from '@sluice/kit/database'
import { internalKeyOverlapMs, type InternalKey } from '@sluice/kit/internal-token'

import { assertProved } from '../account/assert-proved.ts'
import { recordAct } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { staffOf } from '../staff/staff.ts'
import { User } from '../user/user.entity.ts'
import { SecretRotation } from './secret-rotation.entity.ts'

/** In the ledger, in place of the ids of keys: a request to every gateway, each of which then has an entry of its own. */
const everyGateway = 'every-gateway'

/**
 * Asks every gateway for another key of its own. They read it within seconds; when the overlap is over subgraphs refuse what
 * keys of before sign. The entry is verified once a key that answers it was seen to sign. For staff who have shown that it
 * is them.
 */
export async function rotateInternalKeys(context: Context): Promise<SecretRotation> {
  const { orm, visitorIp: ip, now } = context
  const userId = staffOf(context)
  await assertProved(context)
  return forkSystem(orm).transactional(async (em) => {
    const actor = await em.findOneOrFail(User, { id: userId })
    const at = now()
    const rotation = em.create(SecretRotation, {
      organizationId: null,
      kind: 'internal-key',
      secretId: everyGateway,
      successorId: everyGateway,
      at,
      by: userId,
      oldEndsAt: new Date(at.getTime() + internalKeyOverlapMs),
      finishedAt: null,
      verifiedAt: null,
    })
    em.persist(rotation)
    recordAct(em, {
      action: 'internal-key.rotated',
      actor,
      organizationId: null,
      target: { type: 'signing-key', id: everyGateway },
      details: 'asked of every gateway',
      ip,
      at,
    })
    await em.flush()
    return rotation
  })
}

/** When that was last asked; null when it never was. */
export async function internalKeysAskedAt(orm: Orm): Promise<Date | null> {
  const asked = await forkSystem(orm).findOne(
    SecretRotation,
    { successorId: everyGateway },
    { orderBy: { at: 'desc' } },
  )
  return asked?.at ?? null
}

/**
 * Puts into the ledger that a gateway signs with another key of its own. It has just been seen to verify. Every replica
 * hears of it, and one of them writes.
 */
export async function noteInternalKey(
  orm: Orm,
  { kid, replaces, endsAt, askedAt }: InternalKey,
  at: Date,
): Promise<void> {
  // The first key of a process took nothing's place.
  if (replaces === null) return
  await forkSystem(orm).transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`sluice:${kid}`])
    if ((await em.count(SecretRotation, { kind: 'internal-key', successorId: kid })) > 0) return
    if (askedAt) {
      const answered = { successorId: everyGateway, verifiedAt: null, at: { $lte: askedAt } }
      await em.nativeUpdate(SecretRotation, answered, { verifiedAt: at })
    }
    const overlapEndsAt = askedAt && new Date(askedAt.getTime() + internalKeyOverlapMs)
    const rotation = em.create(SecretRotation, {
      organizationId: null,
      kind: 'internal-key',
      secretId: replaces,
      successorId: kid,
      at,
      by: null,
      // The old one was made before, and lives no longer.
      oldEndsAt: overlapEndsAt && overlapEndsAt > at ? overlapEndsAt : endsAt,
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
