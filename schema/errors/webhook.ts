import type { Catalogue } from './catalogue.ts'

export const webhookErrors = {
  SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND: {
    status: 404,
    title: 'There is no such webhook endpoint.',
    cause: 'The id is wrong, it was deleted, or it belongs to an organization you are not in.',
    fix: 'List the webhook endpoints of the organization and use an id from there.',
  },
  SLUICE_WEBHOOK_DELIVERY_NOT_FOUND: {
    status: 404,
    title: 'There is no such webhook delivery.',
    cause: 'The id is wrong, or it is older than what is kept.',
    fix: 'List the deliveries of the endpoint and use an id from there.',
  },
  SLUICE_WEBHOOK_ENDPOINTS_MAX: {
    status: 409,
    title: 'The organization has {max} webhook endpoints, the most there can be.',
    cause: 'Each event is sent to every endpoint that wants it.',
    fix: 'Delete one that is no longer used, or let one endpoint take more events.',
  },
  SLUICE_WEBHOOKS_OFF: {
    status: 503,
    title: 'Webhooks are off on this server.',
    cause: 'Its operator has set no key that would seal their secrets.',
    fix: 'Ask the operator to set WEBHOOK_KEYS.',
  },
} as const satisfies Catalogue
