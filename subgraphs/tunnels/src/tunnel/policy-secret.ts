import type { Orm } from '@sluice/kit/database'
import { forkSystem } from '@sluice/kit/database'
import type { Sealed, Sealer } from '@sluice/kit/sealer'
import type { EdgePolicy } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'

type Webhook = NonNullable<EdgePolicy['webhook']>

/** The check of webhooks as it is stored: its secret sealed for this tunnel alone; of earlier releases, as it is. */
export type StoredWebhook = Webhook | (Pick<Webhook, 'provider'> & Sealed)

/** Keeps the secret of one tunnel, which the edge needs again. */
export interface WebhookSecrets {
  /** What is stored of a secret. One that `known` holds already stays as it is, so that it is no change. */
  seal(webhook: Webhook, known: StoredWebhook | undefined): StoredWebhook
  /** As the agent token carries it. */
  open(stored: StoredWebhook): Webhook
}

const ownerOf = (tunnelId: string) => `webhook check of tunnel ${tunnelId}`

/** `sealer` undefined: the operator has set no key. What is stored open goes on, and nothing new is stored so. */
export function webhookSecretsOf(sealer: Sealer | undefined, tunnelId: string): WebhookSecrets {
  const owner = ownerOf(tunnelId)
  const open = (stored: StoredWebhook): Webhook => {
    if ('secret' in stored) return stored
    if (!sealer) throw new SluiceError('SLUICE_WEBHOOKS_OFF')
    return { provider: stored.provider, secret: sealer.open(stored, owner) }
  }
  return {
    open,
    seal({ provider, secret }, known) {
      if (!sealer) throw new SluiceError('SLUICE_WEBHOOKS_OFF')
      const isKnown = known && known.provider === provider && open(known).secret === secret
      if (isKnown && 'sealed' in known) return known
      return { provider, ...sealer.seal(secret, owner) }
    },
  }
}

const resealedPerTurn = 200

/** Seals what an earlier release has stored open or an older key has sealed, so that the older key can be given up. Returns how many tunnels. */
export async function resealPolicies(orm: Orm, sealer: Sealer): Promise<number> {
  const em = forkSystem(orm)
  for (let resealed = 0, after = '00000000-0000-0000-0000-000000000000'; ;) {
    const rows = await em.execute<{ id: string; webhook: StoredWebhook }[]>(
      `select id, policy -> 'webhook' as webhook from tunnels.tunnel
       where policy -> 'webhook' is not null and policy #>> '{webhook,sealingKeyId}' is distinct from ?
         and id > ? order by id limit ?`,
      [sealer.currentKeyId, after, resealedPerTurn],
    )
    for (const { id, webhook } of rows) {
      const { provider, secret } = webhookSecretsOf(sealer, id).open(webhook)
      const sealed = JSON.stringify({ provider, ...sealer.seal(secret, ownerOf(id)) })
      // A policy that a member changes meanwhile is sealed by that change.
      await em.execute(
        `update tunnels.tunnel set policy = jsonb_set(policy, '{webhook}', ?::jsonb)
         where id = ? and policy -> 'webhook' = ?::jsonb`,
        [sealed, id, JSON.stringify(webhook)],
      )
    }
    resealed += rows.length
    after = rows.at(-1)?.id ?? after
    if (rows.length < resealedPerTurn) return resealed
  }
}
