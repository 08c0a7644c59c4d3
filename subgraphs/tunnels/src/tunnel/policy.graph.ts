import { may } from '@sluice/kit/principal'
import type { EdgePolicy } from '@sluice/schema/claims'
import { webhookProviders } from '@sluice/schema/edge-policy'

import { builder } from '../builder.ts'
import type { Tunnel } from './tunnel.entity.ts'

const WebhookProvider = builder.enumType('WebhookProvider', {
  description: 'Who signs the webhooks that a tunnel takes.',
  values: Object.fromEntries(
    webhookProviders.map((provider) => [
      provider.toUpperCase(),
      { value: provider, description: `Signed as ${titles(provider)} signs.` },
    ]),
  ) as Record<Uppercase<Provider>, { value: Provider; description: string }>,
})

type Provider = (typeof webhookProviders)[number]

function titles(provider: Provider): string {
  const names: Record<Provider, string> = {
    stripe: 'Stripe',
    github: 'GitHub',
    slack: 'Slack',
    shopify: 'Shopify',
    razorpay: 'Razorpay',
    paypal: 'PayPal',
  }
  return names[provider]
}

interface AddedHeader {
  readonly name: string
  /** Null for those who may not change the tunnel. */
  readonly value: string | null
}
interface HeaderChanges {
  readonly add: readonly AddedHeader[]
  readonly remove: readonly string[]
}

const AddedHeaderType = builder.objectRef<AddedHeader>('AddedHeader').implement({
  tag: 'public',
  description: 'A header that the edge adds.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name.' }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'The value, which may be a secret: null for those who may not change the tunnel.',
    }),
  }),
})

const HeaderChangesType = builder.objectRef<HeaderChanges>('HeaderChanges').implement({
  tag: 'public',
  description: 'What the edge changes in a head.',
  fields: (t) => ({
    add: t.field({
      type: [AddedHeaderType],
      description: 'Added behind what is there, in this order.',
      resolve: ({ add }) => [...add],
    }),
    remove: t.stringList({
      description: 'Taken away before anything is added.',
      resolve: ({ remove }) => [...remove],
    }),
  }),
})

const RequestRateType = builder
  .objectRef<NonNullable<EdgePolicy['requestRate']>>('RequestRate')
  .implement({
    tag: 'public',
    description: 'How many requests a tunnel takes, over all relays.',
    fields: (t) => ({
      perSecond: t.exposeFloat('perSecond', { description: 'Requests per second, over time.' }),
      burst: t.exposeInt('burst', { description: 'Requests at once after a pause.' }),
    }),
  })

/** What the edge checks and changes. Passwords and secrets go in and never come out. */
export const TunnelPolicyType = builder.objectRef<Tunnel>('TunnelPolicy').implement({
  tag: 'public',
  description: 'What the edge checks and changes before a request reaches the agent.',
  fields: (t) => ({
    basicAuthUsers: t.stringList({
      description: 'Users of basic authentication; empty when none is asked for.',
      resolve: ({ policy }) => policy.basicAuth?.map(({ user }) => user) ?? [],
    }),
    allowIps: t.stringList({
      description: 'Networks that may visit; empty means all.',
      resolve: ({ policy }) => policy.allowIps ?? [],
    }),
    denyIps: t.stringList({
      description: 'Networks that may not visit, also when they are allowed.',
      resolve: ({ policy }) => policy.denyIps ?? [],
    }),
    requestRate: t.field({
      type: RequestRateType,
      nullable: true,
      description: 'The request rate; null means no limit.',
      resolve: ({ policy }) => policy.requestRate ?? null,
    }),
    bandwidthBytesPerSecond: t.int({
      nullable: true,
      description: 'Bytes per second, both directions together; null means no limit.',
      resolve: ({ policy }) => policy.bandwidthBytesPerSecond ?? null,
    }),
    requestHeaders: t.field({
      type: HeaderChangesType,
      description: 'What is changed in requests.',
      resolve: (tunnel, _args, { principal }) =>
        shown(tunnel.policy.requestHeaders, mayChange(principal, tunnel)),
    }),
    responseHeaders: t.field({
      type: HeaderChangesType,
      description: 'What is changed in responses.',
      resolve: (tunnel, _args, { principal }) =>
        shown(tunnel.policy.responseHeaders, mayChange(principal, tunnel)),
    }),
    compression: t.boolean({
      description: 'Whether text is compressed that the upstream sends as it is.',
      resolve: ({ policy }) => policy.compression ?? false,
    }),
    webhookProvider: t.field({
      type: WebhookProvider,
      nullable: true,
      description:
        'Whose signature a request must carry; null means none. The secret is not shown.',
      resolve: ({ policy }) => policy.webhook?.provider ?? null,
    }),
    visitorCa: t.string({
      nullable: true,
      description: 'PEM certificates that must have signed a visitor’s own; null means none.',
      resolve: ({ policy }) => policy.visitorCa ?? null,
    }),
  }),
})

function mayChange(principal: Parameters<typeof may>[0], { organizationId }: Tunnel): boolean {
  return may(principal, organizationId, 'tunnels.manage')
}

function shown(changes: EdgePolicy['requestHeaders'], values: boolean): HeaderChanges {
  return {
    add: (changes?.add ?? []).map(([name, value]) => ({ name, value: values ? value : null })),
    remove: changes?.remove ?? [],
  }
}

const BasicAuthInput = builder.inputType('BasicAuthInput', {
  description: 'A visitor of basic authentication.',
  fields: (t) => ({
    user: t.string({ required: true, description: 'The user name, without colon.' }),
    password: t.string({
      description:
        'The password. Only a slow hash of it is stored. Absent: the one that this user has already.',
    }),
  }),
})

const RequestRateInput = builder.inputType('RequestRateInput', {
  description: 'How many requests a tunnel shall take, over all relays.',
  fields: (t) => ({
    perSecond: t.float({ required: true, description: 'Requests per second, at most 100,000.' }),
    burst: t.int({ description: 'Requests at once after a pause; those of a second if absent.' }),
  }),
})

const HeaderInput = builder.inputType('HeaderInput', {
  description: 'A header to add.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name; none that the edge itself sets.' }),
    value: t.string({ required: true, description: 'The value, at most 4,096 characters.' }),
  }),
})

const HeaderChangesInput = builder.inputType('HeaderChangesInput', {
  description: 'What the edge shall change in a head. To replace a header, remove and add it.',
  fields: (t) => ({
    add: t.field({ type: [HeaderInput], description: 'Headers to add, at most 50.' }),
    remove: t.stringList({ description: 'Names to take away, at most 50.' }),
  }),
})

const WebhookInput = builder.inputType('WebhookInput', {
  description: 'Lets only requests pass that a provider has signed.',
  fields: (t) => ({
    provider: t.field({ type: WebhookProvider, required: true, description: 'Who signs.' }),
    secret: t.string({
      description:
        'The signing secret, of PayPal the webhook id. It is never shown. Absent: the one that is set.',
    }),
  }),
})

export const TunnelPolicyInput = builder.inputType('TunnelPolicyInput', {
  description:
    'What the edge shall check and change. It replaces the whole policy, but for secrets that are left out.',
  fields: (t) => ({
    basicAuth: t.field({
      type: [BasicAuthInput],
      description: 'Users of basic authentication, at most 50.',
    }),
    allowIps: t.stringList({
      description: 'Addresses or CIDR blocks that may visit, at most 200. Empty means all.',
    }),
    denyIps: t.stringList({
      description: 'Addresses or CIDR blocks that may not visit, at most 200.',
    }),
    requestRate: t.field({ type: RequestRateInput, description: 'Requests; absent: no limit.' }),
    bandwidthBytesPerSecond: t.int({
      description: 'Bytes per second, both directions together, at least 8,192; absent: no limit.',
    }),
    requestHeaders: t.field({ type: HeaderChangesInput, description: 'Changes of requests.' }),
    responseHeaders: t.field({ type: HeaderChangesInput, description: 'Changes of responses.' }),
    compression: t.boolean({
      description: 'Compress text that the upstream sends as it is; off if absent.',
    }),
    webhook: t.field({ type: WebhookInput, description: 'Whose signature a request must carry.' }),
    visitorCa: t.string({
      description: 'PEM certificates that must have signed a visitor’s own.',
    }),
  }),
})
