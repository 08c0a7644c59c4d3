import type { webhookProviders } from '@sluice/schema/edge-policy'

import type { TunnelPolicyInput, TunnelQuery, WebhookProvider } from '../gql/graphql.ts'

type Tunnel = NonNullable<TunnelQuery['tunnel']>
type Policy = Tunnel['policy']

/** The edge policy as a person writes it: lists have one entry per line. */
export interface PolicyForm {
  readonly users: readonly FormUser[]
  readonly allowIps: string
  readonly denyIps: string
  readonly perSecond: string
  readonly burst: string
  readonly kilobytesPerSecond: string
  readonly addRequestHeaders: string
  readonly removeRequestHeaders: string
  readonly addResponseHeaders: string
  readonly removeResponseHeaders: string
  readonly compression: boolean
  /** Empty: none. */
  readonly webhookProvider: string
  readonly webhookSecret: string
  readonly visitorCa: string
  readonly hostHeader: string
}

export interface FormUser {
  readonly user: string
  /** Empty for a user that is known: the password stays. */
  readonly password: string
  readonly isKnown: boolean
}

export const providerNames: Readonly<Record<(typeof webhookProviders)[number], string>> = {
  stripe: 'Stripe',
  github: 'GitHub',
  slack: 'Slack',
  shopify: 'Shopify',
  razorpay: 'Razorpay',
  paypal: 'PayPal',
}

/** The form of the policy that holds. Secrets are not known here, and stay what they are when their fields stay empty. */
export function formOf({ policy, hostHeader }: Pick<Tunnel, 'policy' | 'hostHeader'>): PolicyForm {
  const { requestRate, bandwidthBytesPerSecond } = policy
  return {
    users: policy.basicAuthUsers.map((user) => ({ user, password: '', isKnown: true })),
    allowIps: policy.allowIps.join('\n'),
    denyIps: policy.denyIps.join('\n'),
    perSecond: requestRate ? String(requestRate.perSecond) : '',
    burst: requestRate ? String(requestRate.burst) : '',
    kilobytesPerSecond: bandwidthBytesPerSecond ? String(bandwidthBytesPerSecond / 1_000) : '',
    addRequestHeaders: linesOf(policy.requestHeaders),
    removeRequestHeaders: policy.requestHeaders.remove.join('\n'),
    addResponseHeaders: linesOf(policy.responseHeaders),
    removeResponseHeaders: policy.responseHeaders.remove.join('\n'),
    compression: policy.compression,
    webhookProvider: policy.webhookProvider?.toLowerCase() ?? '',
    webhookSecret: '',
    visitorCa: policy.visitorCa ?? '',
    hostHeader: hostHeader ?? '',
  }
}

/** What a form asks for. The server says what is wrong with it; only what has no meaning at all is said here. */
export function policyInputOf(form: PolicyForm): TunnelPolicyInput {
  const users = form.users.filter(({ user }) => user.trim() !== '')
  const kilobytes = numberOf(form.kilobytesPerSecond)
  return {
    basicAuth: users.map(({ user, password }) => ({
      user: user.trim(),
      ...(password === '' ? {} : { password }),
    })),
    allowIps: entriesOf(form.allowIps),
    denyIps: entriesOf(form.denyIps),
    requestRate: rateOf(form),
    bandwidthBytesPerSecond: kilobytes === null ? null : Math.round(kilobytes * 1_000),
    requestHeaders: {
      add: headersOf(form.addRequestHeaders),
      remove: entriesOf(form.removeRequestHeaders),
    },
    responseHeaders: {
      add: headersOf(form.addResponseHeaders),
      remove: entriesOf(form.removeResponseHeaders),
    },
    compression: form.compression,
    webhook:
      form.webhookProvider === ''
        ? null
        : {
            provider: form.webhookProvider.toUpperCase() as WebhookProvider,
            ...(form.webhookSecret === '' ? {} : { secret: form.webhookSecret.trim() }),
          },
    visitorCa: form.visitorCa.trim() === '' ? null : form.visitorCa,
  }
}

/** Whether nothing is checked and nothing changed. */
export function isOpenPolicy(policy: Policy): boolean {
  const { requestHeaders, responseHeaders } = policy
  const lists = [
    policy.basicAuthUsers,
    policy.allowIps,
    policy.denyIps,
    requestHeaders.add,
    requestHeaders.remove,
    responseHeaders.add,
    responseHeaders.remove,
  ]
  return (
    lists.every(({ length }) => length === 0) &&
    !policy.requestRate &&
    !policy.bandwidthBytesPerSecond &&
    !policy.compression &&
    !policy.webhookProvider &&
    !policy.visitorCa
  )
}

function rateOf({ perSecond, burst }: PolicyForm): TunnelPolicyInput['requestRate'] {
  const rate = numberOf(perSecond)
  if (rate === null) return null
  const most = numberOf(burst)
  return { perSecond: rate, ...(most === null ? {} : { burst: Math.round(most) }) }
}

/** Null for an empty field. What is no number becomes 0, which the server refuses with the reason. */
function numberOf(text: string): number | null {
  const trimmed = text.trim().replace(',', '.')
  if (trimmed === '') return null
  const value = Number(trimmed)
  return Number.isFinite(value) ? value : 0
}

function entriesOf(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function headersOf(text: string) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':')
      // Without a colon it is all name, and the server says what is wrong with it.
      return colon < 0
        ? { name: line, value: '' }
        : { name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() }
    })
}

function linesOf({ add }: Policy['requestHeaders']): string {
  return add.map(({ name, value }) => `${name}: ${value ?? ''}`).join('\n')
}
