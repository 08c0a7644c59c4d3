/**
 * What a webhook endpoint can be told, by the name in `type`. Names are a promise to partners: add, never rename. A name
 * stands here when something tells it, and not before.
 */
export const webhookEvents = {
  'tunnel.created': 'A tunnel was made.',
  'tunnel.started': 'A tunnel was started: an agent may serve it.',
  'tunnel.online': 'Visitors reach a tunnel.',
  'tunnel.offline': 'No agent serves a tunnel any more.',
  'tunnel.stopped': 'A tunnel was stopped and keeps its name.',
  'tunnel.deleted': 'A tunnel was deleted and its name is free.',
  'domain.added': 'A custom domain was added.',
  'domain.verified': 'A custom domain was proven.',
  'domain.attached': 'A custom domain leads to a tunnel.',
  'domain.detached': 'A custom domain leads nowhere.',
  'domain.removed': 'A custom domain was removed.',
  'request.captured': 'A request was stored in the log; limited per minute.',
} as const

export type WebhookEvent = keyof typeof webhookEvents

export const webhookEventNames = Object.keys(webhookEvents) as WebhookEvent[]

/** Sent on demand, whatever an endpoint takes. */
export const testEvent = 'webhook.test'

export function isWebhookEvent(name: string): name is WebhookEvent {
  return Object.hasOwn(webhookEvents, name)
}
