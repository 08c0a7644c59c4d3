import { createHmac, timingSafeEqual } from 'node:crypto'

/** Why a webhook does not pass: for the log and the metric, never for who sent it. */
export type WebhookFault = 'missing' | 'malformed' | 'stale' | 'mismatch' | 'certificate'

/** What a signature covers. */
export interface Webhook {
  /** The values of a field, by its name in lower case. */
  readonly values: (name: string) => readonly string[]
  /** As it came, without transfer coding. */
  readonly body: Buffer
}

/** The providers whose signature is an HMAC over the raw body. */
export type HmacProvider = 'stripe' | 'github' | 'slack' | 'shopify' | 'razorpay'

/** Timestamps may be this much off, in the past and in the future. */
const toleranceSeconds = 300
/** Stripe signs with several secrets while one is rolled. */
const signaturesMax = 10

/** Checks one HMAC; undefined when it is right. */
export function hmacFault(
  provider: HmacProvider,
  secret: string,
  webhook: Webhook,
  nowMs: number,
): WebhookFault | undefined {
  // Never a key that anybody knows.
  if (secret === '') return 'mismatch'
  const signed = schemes[provider](webhook)
  if (typeof signed === 'string') return signed
  const { timestamp, prefix, signatures } = signed
  if (timestamp !== undefined && Math.abs(nowMs / 1000 - timestamp) > toleranceSeconds) {
    return 'stale'
  }
  const expected = createHmac('sha256', secret).update(prefix).update(webhook.body).digest()
  // All are compared, so that the time says nothing about which one is near.
  let matches = false
  for (const one of signatures) if (isEqual(one, expected)) matches = true
  return matches ? undefined : 'mismatch'
}

interface Signed {
  /** Unix seconds, where the provider signs them. */
  readonly timestamp?: number
  /** What is signed in front of the body. */
  readonly prefix: string
  readonly signatures: readonly Buffer[]
}

const schemes: Record<HmacProvider, (webhook: Webhook) => Signed | WebhookFault> = {
  /** `t=<seconds>,v1=<hex>[,v1=<hex>]` over `<t>.<body>`. */
  stripe({ values }) {
    const header = only(values('stripe-signature'))
    if (header === undefined) return 'missing'
    const parts = header.split(',').map((part) => part.trim().split('='))
    const times = parts.filter(([name]) => name === 't').map(([, value = '']) => value)
    const time = times.length === 1 ? times[0] : undefined
    const signatures = parts
      .filter(([name]) => name === 'v1')
      .slice(0, signaturesMax)
      .flatMap(([, value = '']) => hexOf(value) ?? [])
    if (time === undefined || !isSeconds(time) || signatures.length === 0) return 'malformed'
    return { timestamp: Number(time), prefix: `${time}.`, signatures }
  },
  /** `sha256=<hex>` over the body. */
  github: ({ values }) => plain(values('x-hub-signature-256'), /^sha256=([0-9a-f]{64})$/, 'hex'),
  /** `v0=<hex>` over `v0:<seconds>:<body>`. */
  slack({ values }) {
    const signed = plain(values('x-slack-signature'), /^v0=([0-9a-f]{64})$/, 'hex')
    const time = only(values('x-slack-request-timestamp'))
    if (typeof signed === 'string') return signed
    if (time === undefined) return 'missing'
    if (!isSeconds(time)) return 'malformed'
    return { ...signed, timestamp: Number(time), prefix: `v0:${time}:` }
  },
  /** Base64 over the body. */
  shopify: ({ values }) =>
    plain(values('x-shopify-hmac-sha256'), /^([A-Za-z0-9+/]{43}=)$/, 'base64'),
  /** Hexadecimal over the body. */
  razorpay: ({ values }) => plain(values('x-razorpay-signature'), /^([0-9a-f]{64})$/, 'hex'),
}

function plain(
  values: readonly string[],
  form: RegExp,
  encoding: 'hex' | 'base64',
): Signed | WebhookFault {
  const header = only(values)
  if (header === undefined) return values.length === 0 ? 'missing' : 'malformed'
  const [, text] = form.exec(header) ?? []
  if (text === undefined) return 'malformed'
  return { prefix: '', signatures: [Buffer.from(text, encoding)] }
}

/** The one value of a field: of two, upstream and edge could each read another. */
export function only(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined
}

function hexOf(text: string): Buffer | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : undefined
}

function isSeconds(text: string): boolean {
  return /^\d{1,12}$/.test(text)
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
