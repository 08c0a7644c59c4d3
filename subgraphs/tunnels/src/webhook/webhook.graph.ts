import { connectionType, pageSize } from '@sluice/kit/graph'
import { webhookEventNames } from '@sluice/schema/webhook-events'

import { builder } from '../builder.ts'
import { OrganizationType } from '../organization/organization.graph.ts'
import type { DeliveryAttempt, WebhookDelivery } from './webhook-delivery.entity.ts'
import {
  listDeliveries,
  replayDeliveries,
  replayDelivery,
  sendTest,
  shownStateOf,
} from './webhook-delivery.ts'
import type { WebhookEndpoint } from './webhook-endpoint.entity.ts'
import {
  createEndpoint,
  deleteEndpoint,
  findEndpointOrNull,
  listEndpoints,
  rotateSecret,
  updateEndpoint,
  type EndpointWithSecret,
} from './webhook-endpoint.ts'

const events = webhookEventNames.join(', ')

const DeliveryStateType = builder.enumType('WebhookDeliveryState', {
  description: 'What became of a delivery.',
  values: {
    PENDING: { description: 'It is sent, or waits for its next attempt.' },
    HELD: {
      description:
        'It waits because the organization is suspended, and goes on when that is lifted.',
    },
    DELIVERED: { description: 'The endpoint answered with a status of 200 to 299.' },
    FAILED: { description: 'Every attempt failed. It can be sent again.' },
  },
})

const DisabledReasonType = builder.enumType('WebhookDisabledReason', {
  description: 'Why an endpoint was switched off by itself.',
  values: {
    FAILING: { description: 'It took nothing for 5 days.' },
    GONE: { description: 'It answered 410 Gone.' },
  },
})

const AttemptType = builder.objectRef<DeliveryAttempt>('WebhookAttempt').implement({
  tag: 'public',
  description: 'One try to deliver.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it began.' }),
    durationMs: t.exposeFloat('durationMs', { description: 'Until the answer, or the failure.' }),
    status: t.exposeInt('status', {
      nullable: true,
      description: 'The status of the answer; null when there was none.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why there was no answer; null when there was one.',
    }),
    response: t.exposeString('response', {
      description: 'The first 500 characters of the answer.',
    }),
  }),
})

const DeliveryType = builder.objectRef<WebhookDelivery>('WebhookDelivery').implement({
  tag: 'public',
  description: 'One event on its way to one endpoint. Kept for 14 days.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the delivery.' }),
    messageId: t.exposeString('messageId', {
      description: 'The header `webhook-id`: the same on every attempt and replay.',
    }),
    event: t.exposeString('event', { description: 'What happened.' }),
    state: t.field({
      type: DeliveryStateType,
      description: 'What became of it.',
      resolve: (delivery, _args, context) => shownStateOf(context, delivery),
    }),
    payload: t.string({
      description: 'The body that is sent.',
      resolve: ({ event, occurredAt, data }) =>
        JSON.stringify({ type: event, timestamp: occurredAt.toISOString(), data }),
    }),
    attempts: t.field({
      type: [AttemptType],
      listSize: { assumedSize: 20 },
      description: 'The attempts, the newest last, at most 20.',
      resolve: ({ attemptLog }) => attemptLog,
    }),
    nextAttemptAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next; null when it is over or held.',
      resolve: async (delivery, _args, context) =>
        (await shownStateOf(context, delivery)) === 'PENDING' ? delivery.nextAttemptAt : null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was queued.' }),
  }),
})

const DeliveryConnection = connectionType(builder, 'WebhookDelivery', DeliveryType, {
  tag: 'public',
})

const EndpointType = builder.objectRef<WebhookEndpoint>('WebhookEndpoint').implement({
  tag: 'public',
  description: 'An address that is told what happens in an organization.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the endpoint.' }),
    url: t.exposeString('url', { description: 'Where messages are posted.' }),
    description: t.exposeString('description', { description: 'What it is for; may be empty.' }),
    events: t.stringList({
      description: `What it is told, of: ${events}.`,
      resolve: (endpoint) => endpoint.events,
    }),
    capturedPerMinuteMax: t.exposeInt('capturedPerMinuteMax', {
      description: 'At most this many `request.captured` per minute; the others are left out.',
    }),
    isEnabled: t.exposeBoolean('isEnabled', { description: 'Whether anything is sent.' }),
    disabledReason: t.field({
      type: DisabledReasonType,
      nullable: true,
      description: 'Why it was switched off by itself; null when it was not.',
      resolve: ({ disabledReason }) => disabledReason,
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when nothing has arrived; null when the last one did.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    deliveries: t.field({
      type: DeliveryConnection,
      listSize: pageSize,
      description: 'What was sent, newest first.',
      args: {
        first: t.arg.int({ defaultValue: 25, description: 'Rows of the page, at most 100.' }),
        after: t.arg.string({ description: 'Cursor to continue behind.' }),
        state: t.arg({ type: DeliveryStateType, description: 'Only of this state.' }),
      },
      resolve: (endpoint, args, context) => listDeliveries(context, endpoint, args),
    }),
  }),
})

const EndpointWithSecretType = builder
  .objectRef<EndpointWithSecret>('WebhookEndpointWithSecret')
  .implement({
    tag: 'public',
    description: 'An endpoint and its new secret.',
    fields: (t) => ({
      endpoint: t.expose('endpoint', { type: EndpointType, description: 'The endpoint.' }),
      secret: t.exposeString('secret', {
        description: 'Verifies what it is sent (standardwebhooks.com). Shown this once.',
      }),
    }),
  })

builder.objectField(OrganizationType, 'webhookEndpoints', (t) =>
  t.field({
    tag: 'public',
    listSize: { assumedSize: 10 },
    type: [EndpointType],
    nullable: true,
    description: 'Its webhook endpoints, the oldest first; null for those who may not see them.',
    resolve: ({ id }, _args, context) => listEndpoints(context, id),
  }),
)

builder.queryField('webhookEndpoint', (t) =>
  t.field({
    tag: 'public',
    type: EndpointType,
    nullable: true,
    description: 'One webhook endpoint; null when there is none that you may see.',
    args: { id: t.arg.id({ required: true, description: 'The id of the endpoint.' }) },
    resolve: (_root, { id }, context) => findEndpointOrNull(context, id),
  }),
)

const EndpointInput = builder.inputType('WebhookEndpointInput', {
  description: 'An endpoint to make.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'Where to post: https, a public address.' }),
    events: t.stringList({ required: true, description: `What to tell it, of: ${events}.` }),
    description: t.string({ description: 'What it is for; at most 200 characters.' }),
    capturedPerMinuteMax: t.int({
      description: 'At most this many `request.captured` per minute, up to 600; 60 if absent.',
    }),
  }),
})

const EndpointUpdateInput = builder.inputType('WebhookEndpointUpdateInput', {
  description: 'What to change; what is absent stays.',
  fields: (t) => ({
    url: t.string({ description: 'Where to post: https, a public address.' }),
    events: t.stringList({ description: `What to tell it, of: ${events}.` }),
    description: t.string({ description: 'What it is for; at most 200 characters.' }),
    capturedPerMinuteMax: t.int({
      description: 'At most this many `request.captured` per minute, up to 600.',
    }),
    isEnabled: t.boolean({ description: 'Whether anything is sent.' }),
  }),
})

const endpointId = { required: true, description: 'The id of the endpoint.' } as const

builder.mutationFields((t) => ({
  createWebhookEndpoint: t.field({
    tag: 'public',
    type: EndpointWithSecretType,
    description: 'Makes an endpoint, and shows its secret this once.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Whose it shall be.' }),
      input: t.arg({ type: EndpointInput, required: true, description: 'The endpoint.' }),
    },
    resolve: (_root, { organizationId, input }, context) =>
      createEndpoint(context, organizationId, input),
  }),
  updateWebhookEndpoint: t.field({
    tag: 'public',
    type: EndpointType,
    description: 'Changes an endpoint. Switching it on forgets that it failed.',
    args: {
      id: t.arg.id(endpointId),
      input: t.arg({ type: EndpointUpdateInput, required: true, description: 'What to change.' }),
    },
    resolve: (_root, { id, input }, context) => updateEndpoint(context, id, input),
  }),
  deleteWebhookEndpoint: t.field({
    tag: 'public',
    type: 'ID',
    description: 'Forgets an endpoint and what was sent to it. Returns the id.',
    args: { id: t.arg.id(endpointId) },
    resolve: (_root, { id }, context) => deleteEndpoint(context, id),
  }),
  rotateWebhookSecret: t.field({
    tag: 'public',
    type: EndpointWithSecretType,
    description:
      'Gives an endpoint a new secret. The one before signs beside it for 24 hours, so that nothing is lost meanwhile.',
    args: { id: t.arg.id(endpointId) },
    resolve: (_root, { id }, context) => rotateSecret(context, id),
  }),
  sendTestWebhook: t.field({
    tag: 'public',
    type: DeliveryType,
    description: 'Sends an endpoint the event `webhook.test`, whatever it takes.',
    args: { id: t.arg.id(endpointId) },
    resolve: (_root, { id }, context) => sendTest(context, id),
  }),
  replayWebhookDelivery: t.field({
    tag: 'public',
    type: DeliveryType,
    description: 'Sends one message again, with the id it had.',
    args: { id: t.arg.id({ required: true, description: 'The id of the delivery.' }) },
    resolve: (_root, { id }, context) => replayDelivery(context, id),
  }),
  replayWebhookDeliveries: t.field({
    tag: 'public',
    type: 'Int',
    description:
      'Sends messages of a time again, oldest first, at most 1,000 at once. Returns how many.',
    args: {
      endpointId: t.arg.id(endpointId),
      from: t.arg({ type: 'DateTime', required: true, description: 'Queued then or later.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'Queued before.' }),
      failedOnly: t.arg.boolean({
        defaultValue: true,
        description: 'Leave out what has arrived.',
      }),
    },
    resolve: (_root, { failedOnly, ...args }, context) =>
      replayDeliveries(context, { ...args, failedOnly: failedOnly ?? true }),
  }),
}))
