/**
 * What an endpoint can be told, by the name in `type`. Names are a promise to partners: add, never rename. A name stands
 * here when something tells it, and not before.
 */
export const webhookEvents = [
  'tunnel.created',
  'tunnel.started',
  'tunnel.online',
  'tunnel.offline',
  'tunnel.stopped',
  'tunnel.deleted',
  'domain.added',
  'domain.verified',
  'domain.attached',
  'domain.detached',
  'domain.removed',
  'request.captured',
] as const
export type WebhookEvent = (typeof webhookEvents)[number]

/** Sent on demand, whatever an endpoint takes. */
export const testEvent = 'webhook.test'

export function isWebhookEvent(name: string): name is WebhookEvent {
  return (webhookEvents as readonly string[]).includes(name)
}
