import { LockMode } from '@mikro-orm/core'
import { recordAct, system } from '@sluice/kit/audit'
import { guardedFetch } from '@sluice/kit/guarded-fetch'
import { defineJob } from '@sluice/kit/job'
import { SluiceError } from '@sluice/schema/errors'
import { z } from 'zod'

import type { JobDeps, WebhookSending } from '../job-deps.ts'
import { nextDelayMs } from './retry.ts'
import { signedHeaders } from './signature.ts'
import {
  WebhookDelivery,
  type DeliveryAttempt,
  type DeliveryState,
} from './webhook-delivery.entity.ts'
import { WebhookEndpoint, type DisabledReason } from './webhook-endpoint.entity.ts'
import { secretsOf } from './webhook-secret.ts'

const attemptTimeoutMs = 10_000
const answerBytesMax = 64 * 1024
const keptAnswerCharacters = 500
const keptAttempts = 20
/** A slow endpoint has this many on their way at once, and no other endpoint waits for them. */
const underWayPerEndpointMax = 4
const underWayMax = 64
/** A worker that died with a delivery in its hands gives it up after this: longer than any attempt. */
const leaseMs = 3 * attemptTimeoutMs
/** How often a run with deliveries under way looks for others. */
const lookEveryMs = 500
/** An endpoint that has taken nothing for this long is switched off. */
const failingDaysMax = 5
const gone = 410

/** Sends what is due, each message until it has arrived or every attempt was used. It may arrive twice, and in any order. */
export const deliverWebhooks = defineJob({
  name: 'webhooks.deliver',
  payload: z.object({}),

  async run(_payload, deps: JobDeps, signal) {
    const { webhooks } = deps
    if (!webhooks) return
    const underWay = new Set<Promise<void>>()
    do {
      const claimed = signal.aborted ? [] : await claim(deps, underWayMax - underWay.size)
      for (const id of claimed) {
        const delivering = deliver(deps, webhooks, id, signal)
          .catch((error: unknown) => deps.log.error({ err: error, id }, 'a delivery failed'))
          .finally(() => underWay.delete(delivering))
        underWay.add(delivering)
      }
      if (underWay.size > 0) await pauseUntilOneOf(underWay)
    } while (underWay.size > 0)
  },
})

/** Takes deliveries that are due, fairly over endpoints, and holds them until the lease ends. Those of suspended organizations wait. */
async function claim({ em, now }: JobDeps, max: number): Promise<string[]> {
  if (max <= 0) return []
  const at = now().toISOString()
  const until = new Date(now().getTime() + leaseMs).toISOString()
  return em().transactional(async (own) => {
    // Two workers that count at once would give an endpoint twice as much.
    await own.execute(`select pg_advisory_xact_lock(hashtextextended('sluice:webhooks', 0))`)
    const rows = await own.execute<{ id: string }[]>(
      `update tunnels.webhook_delivery set leased_until = ?::timestamptz where id in (
         select due.id from tunnels.webhook_endpoint as endpoint
         cross join lateral (
           select id, next_attempt_at from tunnels.webhook_delivery as waiting
           where waiting.endpoint_id = endpoint.id and waiting.state = 'PENDING'
             and waiting.next_attempt_at <= ?::timestamptz
             and (waiting.leased_until is null or waiting.leased_until <= ?::timestamptz)
           order by next_attempt_at limit greatest(0, ${underWayPerEndpointMax} - (
             select count(*) from tunnels.webhook_delivery as busy
             where busy.endpoint_id = endpoint.id and busy.state = 'PENDING' and busy.leased_until > ?::timestamptz
           ))
         ) as due
         left join tunnels.organization using (organization_id)
         where endpoint.is_enabled and organization.suspended_at is null order by due.next_attempt_at limit ?
       ) returning id`,
      [until, at, at, at, max],
    )
    return rows.map(({ id }) => id)
  })
}

async function deliver(
  deps: JobDeps,
  webhooks: WebhookSending,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const em = deps.em()
  const delivery = await em.findOne(WebhookDelivery, { id })
  const endpoint = delivery && (await em.findOne(WebhookEndpoint, { id: delivery.endpointId }))
  // Deleted a moment ago.
  if (!endpoint) return
  const attempt = await send(deps, webhooks, delivery, endpoint, signal)
  // The worker stops: whether it arrived is not known, and another one tries again.
  if (signal.aborted && attempt.status === null) return
  await note(deps, delivery, attempt)
}

async function send(
  { now }: JobDeps,
  { sealer, allowPrivate }: WebhookSending,
  { messageId, event, occurredAt, data }: WebhookDelivery,
  endpoint: WebhookEndpoint,
  signal: AbortSignal,
): Promise<DeliveryAttempt> {
  const at = now()
  const body = JSON.stringify({ type: event, timestamp: occurredAt.toISOString(), data })
  const startedAt = performance.now()
  const attempt = (answer: Pick<DeliveryAttempt, 'status' | 'error' | 'response'>) => ({
    at: at.toISOString(),
    durationMs: Math.round(performance.now() - startedAt),
    ...answer,
  })
  try {
    const response = await guardedFetch(
      endpoint.url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Sluice-Webhooks/1',
          ...signedHeaders({ id: messageId, at, body }, secretsOf(sealer, endpoint, at)),
        },
        body,
        timeoutMs: attemptTimeoutMs,
        bytesMax: answerBytesMax,
        signal,
      },
      { allowPrivate },
    )
    const text = (await response.text()).replaceAll('\0', '').slice(0, keptAnswerCharacters)
    return attempt({ status: response.status, error: null, response: text.toWellFormed() })
  } catch (error) {
    // What the guard says is for the owner of the endpoint; all else is ours.
    if (!(error instanceof SluiceError) && !signal.aborted) throw error
    const reason = error instanceof SluiceError ? error.message : 'the worker stopped'
    return attempt({ status: null, error: reason, response: '' })
  }
}

/** Writes down what came of an attempt: when to try again, and whether the endpoint still answers at all. */
async function note(
  { em, now, random, webhooks }: JobDeps,
  { id, endpointId, attempts: before, attemptLog }: WebhookDelivery,
  attempt: DeliveryAttempt,
): Promise<void> {
  const { status } = attempt
  const hasArrived = status !== null && status >= 200 && status < 300
  const attempts = before + 1
  const delayMs = nextDelayMs(attempts, random)
  const isOver = hasArrived || delayMs === null || status === gone
  const state: DeliveryState = hasArrived ? 'DELIVERED' : isOver ? 'FAILED' : 'PENDING'
  const at = now()
  webhooks?.onAttempt?.(hasArrived ? 'delivered' : isOver ? 'failed' : 'retried')

  await em().transactional(async (own) => {
    await own.nativeUpdate(
      WebhookDelivery,
      { id },
      {
        state,
        attempts,
        attemptLog: [...attemptLog, attempt].slice(-keptAttempts),
        leasedUntil: null,
        nextAttemptAt: new Date(at.getTime() + (delayMs ?? 0)),
      },
    )
    if (hasArrived) {
      const failing = { id: endpointId, failingSince: { $ne: null } }
      await own.nativeUpdate(WebhookEndpoint, failing, { failingSince: null })
      return
    }
    // Of two that fail at once, one switches it off.
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE }
    const endpoint = await own.findOne(WebhookEndpoint, { id: endpointId }, lock)
    if (!endpoint) return
    endpoint.failingSince ??= at
    const failingMs = at.getTime() - endpoint.failingSince.getTime()
    const reason: DisabledReason | null =
      status === gone ? 'GONE' : failingMs > failingDaysMax * 86_400_000 ? 'FAILING' : null
    if (!reason || !endpoint.isEnabled) return
    Object.assign(endpoint, { isEnabled: false, disabledReason: reason })
    recordAct(own, {
      action: 'webhook.disabled',
      actor: system,
      organizationId: endpoint.organizationId,
      target: { type: 'webhook', id: endpointId },
      details: reason === 'GONE' ? 'it answered 410 Gone' : `it failed for ${failingDaysMax} days`,
      at,
    })
  })
}

async function pauseUntilOneOf(underWay: ReadonlySet<Promise<void>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const look = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, lookEveryMs)
  })
  await Promise.race([look, ...underWay])
  clearTimeout(timer)
}
