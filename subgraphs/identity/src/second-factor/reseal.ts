import type { EntityManager } from '@sluice/kit/database'
import type { Sealer } from '@sluice/kit/sealer'

import { SecondFactor } from './second-factor.entity.ts'
import { ownerOf } from './second-factor.ts'

const batchRowsMax = 500

/** Seals anew what an older key has sealed, so that the older key can be given up. */
export async function resealSecondFactors(
  em: EntityManager,
  sealer: Sealer,
): Promise<{ resealed: number; failed: number }> {
  const counts = { resealed: 0, failed: 0 }
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const old = { sealingKeyId: { $ne: sealer.currentKeyId }, userId: { $gt: after } }
    const rows = await em.find(SecondFactor, old, {
      orderBy: { userId: 'asc' },
      limit: batchRowsMax,
    })
    for (const row of rows) counts[(await reseal(em, row, sealer)) ? 'resealed' : 'failed'] += 1
    after = rows.at(-1)?.userId ?? after
    if (rows.length < batchRowsMax) return counts
  }
}

async function reseal(em: EntityManager, row: SecondFactor, sealer: Sealer): Promise<boolean> {
  const { userId, sealedSecret, sealingKeyId } = row
  const owner = ownerOf(userId)
  let secret: string
  try {
    secret = sealer.open({ sealed: sealedSecret, sealingKeyId }, owner)
  } catch {
    // Its key was taken from the configuration too early. Given back, the next start finds the row again.
    return false
  }
  const again = sealer.seal(secret, owner)
  // A secret that was set up anew meanwhile stays.
  await em.nativeUpdate(
    SecondFactor,
    { userId, sealedSecret },
    { sealedSecret: again.sealed, sealingKeyId: again.sealingKeyId },
  )
  return true
}
