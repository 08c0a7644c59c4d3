import { actorOf, recordAct } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'
import { parseGuardedUrl } from '@sluice/kit/guarded-fetch'
import { assertMay, may } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import type { ActAction } from '@sluice/schema/events'
import { webhookEventNames } from '@sluice/schema/webhook-events'
import { z } from 'zod'

import type { Context, WebhookSettings } from '../context.ts'
import { lockOrganization } from '../organization/organization.ts'
import { WebhookDelivery } from './webhook-delivery.entity.ts'
import { WebhookEndpoint } from './webhook-endpoint.entity.ts'
import { newSecret, overlapOf } from './webhook-secret.ts'

const endpointsMax = 10
const capturedPerMinuteDefault = 60
const capturedPerMinuteMax = 600

const Fields = z.object({
  url: z.string(),
  description: z.string().trim().max(200, 'has at most 200 characters').default(''),
  events: z.array(z.enum(webhookEventNames)).min(1, 'names at least one event'),
  capturedPerMinuteMax: z
    .int()
    .min(1, 'is at least 1')
    .max(capturedPerMinuteMax, `is at most ${capturedPerMinuteMax}`)
    .default(capturedPerMinuteDefault),
})

export type WebhookEndpointInput = { [name in keyof z.input<typeof Fields>]?: unknown }

export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpoint
  /** Shown this once. */
  readonly secret: string
}

/** The endpoints of an organization, the oldest first; null for those who may not see them. */
export async function listEndpoints(
  { em, principal }: Context,
  organizationId: string,
): Promise<WebhookEndpoint[] | null> {
  if (!isUuid(organizationId) || !may(principal, organizationId, 'webhooks.read')) return null
  return em.find(WebhookEndpoint, { organizationId }, { orderBy: { createdAt: 'asc', id: 'asc' } })
}

/** An endpoint that the principal may see. */
export async function findEndpointOrNull(
  { em, principal }: Context,
  id: string,
): Promise<WebhookEndpoint | null> {
  const endpoint = isUuid(id) ? await em.findOne(WebhookEndpoint, { id }) : null
  return endpoint && may(principal, endpoint.organizationId, 'webhooks.read') ? endpoint : null
}

/** An endpoint that the principal may change or use. Another organization's counts as missing. */
export async function findEndpointToChange(
  { principal }: Context,
  em: EntityManager,
  id: string,
): Promise<WebhookEndpoint> {
  if (principal.kind === 'anonymous') throw new SluiceError('SLUICE_UNAUTHENTICATED')
  const endpoint = isUuid(id) ? await em.findOne(WebhookEndpoint, { id }) : null
  if (!endpoint) throw new SluiceError('SLUICE_WEBHOOK_ENDPOINT_NOT_FOUND')
  assertMay(principal, endpoint.organizationId, 'webhooks.manage')
  return endpoint
}

export async function createEndpoint(
  context: Context,
  organizationId: string,
  input: WebhookEndpointInput,
): Promise<EndpointWithSecret> {
  const { principal, em, parts } = context
  assertMay(principal, organizationId, 'webhooks.manage')
  const sealer = sealerOf(parts.webhooks)
  const fields = parseFields(Fields, input)
  const id = crypto.randomUUID()
  const { secret, kept } = newSecret(sealer, id)
  const endpoint = await em.transactional(async (own) => {
    // Under the lock the count holds until the commit.
    await lockOrganization(own, organizationId)
    if ((await own.count(WebhookEndpoint, { organizationId })) >= endpointsMax) {
      throw new SluiceError('SLUICE_WEBHOOK_ENDPOINTS_MAX', { max: endpointsMax })
    }
    const made = own.create(WebhookEndpoint, {
      id,
      organizationId,
      ...fields,
      url: parseEndpointUrl(fields.url, parts.webhooks),
      ...kept,
      disabledReason: null,
      failingSince: null,
      previousSealingKeyId: null,
      previousSealed: null,
      previousUntil: null,
    })
    own.persist(made)
    recordWebhookAct(own, context, 'webhook.created', made)
    return made
  })
  return { endpoint, secret }
}

/** Changes what is given and leaves the rest. Switching an endpoint on forgets that it failed. */
export async function updateEndpoint(
  context: Context,
  id: string,
  { isEnabled, ...input }: WebhookEndpointInput & { isEnabled?: boolean | null | undefined },
): Promise<WebhookEndpoint> {
  const given = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined && value !== null),
  )
  const fields = parseFields(Fields.partial(), given)
  // What is absent stays: defaults are for new endpoints.
  const changes = Object.fromEntries(
    Object.entries(fields).filter(([name]) => Object.hasOwn(given, name)),
  )
  return context.em.transactional(async (em) => {
    const endpoint = await findEndpointToChange(context, em, id)
    Object.assign(endpoint, changes)
    if (fields.url !== undefined) {
      endpoint.url = parseEndpointUrl(fields.url, context.parts.webhooks)
    }
    if (typeof isEnabled === 'boolean') {
      Object.assign(endpoint, { isEnabled, disabledReason: null, failingSince: null })
    }
    const names = [
      ...Object.keys(changes),
      ...(typeof isEnabled === 'boolean' ? ['isEnabled'] : []),
    ]
    if (names.length > 0) {
      recordWebhookAct(em, context, 'webhook.changed', endpoint, names.join(', '))
    }
    return endpoint
  })
}

/** Forgets an endpoint and what was sent to it. Returns the id. */
export async function deleteEndpoint(context: Context, id: string): Promise<string> {
  await context.em.transactional(async (em) => {
    const endpoint = await findEndpointToChange(context, em, id)
    await em.nativeDelete(WebhookDelivery, { endpointId: id })
    em.remove(endpoint)
    recordWebhookAct(em, context, 'webhook.deleted', endpoint)
  })
  return id
}

/** A new secret. The one before signs beside it for a day, so that the receiver changes without a gap. */
export async function rotateSecret(context: Context, id: string): Promise<EndpointWithSecret> {
  const sealer = sealerOf(context.parts.webhooks)
  return context.em.transactional(async (em) => {
    const endpoint = await findEndpointToChange(context, em, id)
    const { secret, kept } = newSecret(sealer, id)
    Object.assign(endpoint, overlapOf(endpoint, context.parts.now()), kept)
    recordWebhookAct(em, context, 'webhook.secret-rotated', endpoint)
    return { endpoint, secret }
  })
}

export function recordWebhookAct(
  em: EntityManager,
  { principal, visitorIp, parts }: Context,
  action: ActAction & `webhook.${string}`,
  { id, organizationId, url }: Pick<WebhookEndpoint, 'id' | 'organizationId' | 'url'>,
  what = '',
): void {
  // The host is enough: a path may hold a secret of the receiver.
  const { host } = new URL(url)
  recordAct(em, {
    action,
    actor: actorOf(principal),
    organizationId,
    target: { type: 'webhook', id },
    details: what === '' ? host : `${host}: ${what}`,
    ip: visitorIp,
    at: parts.now(),
  })
}

function sealerOf({ sealer }: WebhookSettings) {
  if (!sealer) throw new SluiceError('SLUICE_WEBHOOKS_OFF')
  return sealer
}

/** Throws SLUICE_ADDRESS_INVALID for what is never asked; whether it is public is looked at with each attempt. */
function parseEndpointUrl(text: string, { allowPrivate }: WebhookSettings): string {
  const url = parseGuardedUrl(text, { allowPrivate })
  if (url.protocol !== 'https:' && !allowPrivate) {
    throw new SluiceError('SLUICE_ADDRESS_INVALID', { reason: 'it does not begin with https://' })
  }
  return url.href
}

function parseFields<T extends z.ZodType>(schema: T, input: unknown): z.infer<T> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const reason = `${issue?.path.join('.')}: ${issue?.message}.`
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
}
