import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import type { WebhookEvent } from '@sluice/schema/webhook-events'

/** Why an endpoint was switched off by itself: it failed for days, or answered 410 Gone. */
export type DisabledReason = 'FAILING' | 'GONE'

const WebhookEndpointSchema = defineEntity({
  name: 'WebhookEndpoint',
  tableName: 'webhook_endpoint',
  filters: tenantFilter,
  indexes: [{ name: 'webhook_endpoint_of_organization', properties: ['organizationId'] }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: p.uuid(),
    url: p.string().length(2048),
    description: p.string().length(200).default(''),
    events: p.json<WebhookEvent[]>(),
    /** At most this many `request.captured` per minute; the others are left out. */
    capturedPerMinuteMax: p.integer(),
    isEnabled: p.boolean().default(true),
    disabledReason: p.string().length(16).$type<DisabledReason>().nullable(),
    /** Since when nothing has arrived; null after a success. */
    failingSince: p.datetime().nullable(),
    /** The secret that signs, and the one before for as long as both do. */
    sealingKeyId: p.string().length(64),
    sealed: p.text(),
    previousSealingKeyId: p.string().length(64).nullable(),
    previousSealed: p.text().nullable(),
    previousUntil: p.datetime().nullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
})

/** An address that an organization wants told what happens. */
export class WebhookEndpoint extends WebhookEndpointSchema.class {}
WebhookEndpointSchema.setClass(WebhookEndpoint)
