import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

export type DeliveryState = 'PENDING' | 'DELIVERED' | 'FAILED'

/** One try to deliver. `status` is null when there was no answer; `error` says then why. */
export interface DeliveryAttempt {
  readonly at: string
  readonly durationMs: number
  readonly status: number | null
  readonly error: string | null
  /** The first bytes of the answer, as text. */
  readonly response: string
}

const WebhookDeliverySchema = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  filters: tenantFilter,
  // What happened is told an endpoint once, however often the subgraph hears of it.
  uniques: [{ name: 'webhook_delivery_message', properties: ['endpointId', 'messageId'] }],
  indexes: [
    {
      name: 'webhook_delivery_due',
      properties: ['endpointId', 'nextAttemptAt'],
      where: { state: 'PENDING' },
    },
    { name: 'webhook_delivery_newest', properties: ['endpointId', 'createdAt', 'id'] },
    { name: 'webhook_delivery_age', properties: ['createdAt'] },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: p.uuid(),
    endpointId: p.uuid(),
    /** `webhook-id`: the same on every attempt and replay. */
    messageId: p.string().length(64),
    event: p.string().length(64),
    occurredAt: p.datetime(),
    data: p.json<Record<string, unknown>>(),
    state: p.string().length(16).$type<DeliveryState>().default('PENDING'),
    /** Since it was last asked for. */
    attempts: p.integer().default(0),
    /** The newest last, the oldest given up. */
    attemptLog: p.json<DeliveryAttempt[]>(),
    nextAttemptAt: p.datetime(),
    /** A worker has it until then. */
    leasedUntil: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
})

/** One event on its way to one endpoint. The row is the record; queues only wake whoever reads it. */
export class WebhookDelivery extends WebhookDeliverySchema.class {}
WebhookDeliverySchema.setClass(WebhookDelivery)
