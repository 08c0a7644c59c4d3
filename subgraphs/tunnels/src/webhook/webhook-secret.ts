import type { EntityManager } from '@sluice/kit/database'
import { Sealer, type SealingKey } from '@sluice/kit/sealer'

import { createWebhookSecret } from './signature.ts'
import { WebhookEndpoint } from './webhook-endpoint.entity.ts'

type Secrets = Pick<
  WebhookEndpoint,
  'id' | 'sealingKeyId' | 'sealed' | 'previousSealingKeyId' | 'previousSealed' | 'previousUntil'
>

/** After a change of the secret both sign for this long. */
const overlapMs = 24 * 3_600_000

/** What a secret is sealed for: it opens for this endpoint alone. */
const ownerOf = (endpointId: string) => `webhook endpoint ${endpointId}`

/** Undefined when there is no key: webhooks are off. */
export function sealerOf(keys: readonly SealingKey[] = []): Sealer | undefined {
  const [first, ...others] = keys
  return first && new Sealer([first, ...others])
}

/** A new secret, shown once, with what is kept of it. */
export function newSecret(sealer: Sealer, endpointId: string) {
  const secret = createWebhookSecret()
  const { sealingKeyId, sealed } = sealer.seal(secret, ownerOf(endpointId))
  return { secret, kept: { sealingKeyId, sealed } }
}

/** What is kept of a secret that another one replaces. */
export function overlapOf({ sealingKeyId, sealed }: Secrets, now: Date) {
  return {
    previousSealingKeyId: sealingKeyId,
    previousSealed: sealed,
    previousUntil: new Date(now.getTime() + overlapMs),
  }
}

/** The secrets that sign now, the newest first. */
export function secretsOf(sealer: Sealer, endpoint: Secrets, now: Date): string[] {
  const { id, sealingKeyId, sealed, previousSealingKeyId, previousSealed, previousUntil } = endpoint
  const secrets = [sealer.open({ sealingKeyId, sealed }, ownerOf(id))]
  if (previousSealingKeyId && previousSealed && previousUntil && previousUntil > now) {
    const previous = { sealingKeyId: previousSealingKeyId, sealed: previousSealed }
    secrets.push(sealer.open(previous, ownerOf(id)))
  }
  return secrets
}

const resealedPerTurn = 200

/** Seals anew what an older key has sealed, so that the older key can be given up. Returns how many endpoints. */
export async function resealSecrets(em: () => EntityManager, sealer: Sealer): Promise<number> {
  const now = new Date()
  const older = { sealingKeyId: { $ne: sealer.currentKeyId } }
  for (let resealed = 0, after = ''; ;) {
    const own = em()
    const where = after === '' ? older : { ...older, id: { $gt: after } }
    const rows = await own.find(WebhookEndpoint, where, {
      orderBy: { id: 'asc' },
      limit: resealedPerTurn,
    })
    for (const row of rows) {
      const [current = '', previous] = secretsOf(sealer, row, now)
      Object.assign(row, sealer.seal(current, ownerOf(row.id)))
      const before = previous === undefined ? null : sealer.seal(previous, ownerOf(row.id))
      row.previousSealingKeyId = before?.sealingKeyId ?? null
      row.previousSealed = before?.sealed ?? null
    }
    await own.flush()
    resealed += rows.length
    after = rows.at(-1)?.id ?? ''
    if (rows.length < resealedPerTurn) return resealed
  }
}
