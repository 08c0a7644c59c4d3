import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const WebhookPresenceSchema = defineEntity({
  name: 'WebhookPresence',
  tableName: 'webhook_presence',
  filters: tenantFilter,
  properties: {
    tunnelId: p.uuid().primary(),
    organizationId: p.uuid(),
    isOnline: p.boolean(),
    changedAt: p.datetime(),
  },
})

/** Whether endpoints were last told that a tunnel is online. */
export class WebhookPresence extends WebhookPresenceSchema.class {}
WebhookPresenceSchema.setClass(WebhookPresence)
