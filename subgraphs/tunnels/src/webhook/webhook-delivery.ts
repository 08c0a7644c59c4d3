import { afterKeyset, pageOf, type Page } from '@sluice/kit/keyset'
import { assertMay } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import { testEvent } from '@sluice/schema/webhook-events'

import type { Context } from '../context.ts'
import { WebhookDelivery, type DeliveryState } from './webhook-delivery.entity.ts'
import type { WebhookEndpoint } from './webhook-endpoint.entity.ts'
import { findEndpointToChange, recordWebhookAct } from './webhook-endpoint.ts'

/** Deliveries that one act sends again. */
const replayedMax = 1_000

/** What becomes of a delivery, as its owner sees it: what is pending is held while the organization is suspended. */
export type ShownState = DeliveryState | 'HELD'

interface PageArgs {
  first?: number | null | undefined
  after?: string | null | undefined
  state?: ShownState | null | undefined
}

export async function shownStateOf(
  { load }: Context,
  { state, organizationId }: WebhookDelivery,
): Promise<ShownState> {
  return state === 'PENDING' && (await load.isSuspended.load(organizationId)) ? 'HELD' : state
}

/** What was sent to an endpoint, newest first. Whoever sees the endpoint may see it. */
export async function listDeliveries(
  { em, load }: Context,
  { id: endpointId, organizationId }: WebhookEndpoint,
  { state: shown, ...args }: PageArgs,
): Promise<Page<WebhookDelivery>> {
  const waiting = (await load.isSuspended.load(organizationId)) ? 'HELD' : 'PENDING'
  return pageOf(
    args,
    ({ createdAt, id }) => ({ at: createdAt, id }),
    async (limit, after) => {
      const state = shown === waiting ? 'PENDING' : shown
      // What waits has the one name or the other.
      if (state === 'HELD' || (shown === 'PENDING' && waiting === 'HELD')) return []
      return em.find(
        WebhookDelivery,
        { endpointId, ...(state ? { state } : {}), ...afterKeyset('createdAt', after) },
        { orderBy: { createdAt: 'desc', id: 'desc' }, limit },
      )
    },
  )
}

/** Sends an endpoint something harmless, whatever it takes. */
export async function sendTest(context: Context, endpointId: string): Promise<WebhookDelivery> {
  return context.em.transactional(async (em) => {
    const { id, organizationId } = await findEndpointToChange(context, em, endpointId)
    const now = context.parts.now()
    const delivery = em.create(WebhookDelivery, {
      organizationId,
      endpointId: id,
      messageId: `msg_${crypto.randomUUID()}`,
      event: testEvent,
      occurredAt: now,
      data: { organizationId, text: 'This is a test.' },
      attemptLog: [],
      nextAttemptAt: now,
      leasedUntil: null,
    })
    em.persist(delivery)
    return delivery
  })
}

/** Sends one message again, with the id it had. */
export async function replayDelivery(context: Context, id: string): Promise<WebhookDelivery> {
  const { principal, parts } = context
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  return context.em.transactional(async (em) => {
    const delivery = isUuid(id) ? await em.findOne(WebhookDelivery, { id }) : null
    if (!delivery) throw new SluiceError('SLUICE_WEBHOOK_DELIVERY_NOT_FOUND')
    assertMay(principal, delivery.organizationId, 'webhooks.manage')
    const endpoint = await findEndpointToChange(context, em, delivery.endpointId)
    Object.assign(delivery, { state: 'PENDING', attempts: 0, nextAttemptAt: parts.now() })
    recordWebhookAct(em, context, 'webhook.replayed', endpoint, delivery.messageId)
    return delivery
  })
}

/** Sends again what happened in a time, oldest first, at most 1,000 messages; returns how many. */
export async function replayDeliveries(
  context: Context,
  {
    endpointId,
    from,
    to,
    failedOnly,
  }: {
    endpointId: string
    from: Date
    to: Date
    failedOnly: boolean
  },
): Promise<number> {
  return context.em.transactional(async (em) => {
    const endpoint = await findEndpointToChange(context, em, endpointId)
    const replayed = await em.execute<unknown[]>(
      `update tunnels.webhook_delivery set state = 'PENDING', attempts = 0, next_attempt_at = ?::timestamptz
       where id in (
         select id from tunnels.webhook_delivery
         where endpoint_id = ? and created_at >= ?::timestamptz and created_at < ?::timestamptz
           and state = any (?::text[])
         order by created_at limit ${replayedMax}
       ) returning id`,
      [
        context.parts.now().toISOString(),
        endpoint.id,
        from.toISOString(),
        to.toISOString(),
        failedOnly ? '{FAILED}' : '{FAILED,DELIVERED}',
      ],
    )
    if (replayed.length > 0) {
      const what = `${replayed.length} messages`
      recordWebhookAct(em, context, 'webhook.replayed', endpoint, what)
    }
    return replayed.length
  })
}
