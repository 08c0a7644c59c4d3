import { createHmac } from 'node:crypto'

import { sign as signGithub } from '@octokit/webhooks-methods'
import Razorpay from 'razorpay'
import { Stripe } from 'stripe'
import { expect, test } from 'vitest'

import { hmacFault, type HmacProvider, type Webhook } from './signature.ts'

const secret = 'a secret of the tests'
const body = Buffer.from('{"id":"evt_1","note":"é ☃"}')
const nowMs = Date.UTC(2026, 10, 21, 12)
const nowSeconds = nowMs / 1000

const webhook = (fields: Record<string, string | string[]>, bytes: Buffer = body): Webhook => ({
  values: (name) => [fields[name] ?? []].flat(),
  body: bytes,
})
const hmac = (text: string | Buffer, encoding: 'hex' | 'base64' = 'hex', key = secret) =>
  createHmac('sha256', key).update(text).digest(encoding)

const stripe = new Stripe('sk_test_none')
const stripeHeader = (timestamp = nowSeconds, key = secret) =>
  stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret: key, timestamp })
const slackFields = (timestamp = nowSeconds, key = secret) => ({
  'x-slack-request-timestamp': String(timestamp),
  'x-slack-signature': `v0=${hmac(`v0:${timestamp}:${body.toString()}`, 'hex', key)}`,
})

/** Headers as the providers make them: by their own SDKs where these sign, else by the rule of their documentation. */
const genuine: Record<HmacProvider, (key?: string) => Promise<Record<string, string>>> = {
  stripe: async (key) => ({ 'stripe-signature': stripeHeader(nowSeconds, key) }),
  github: async (key = secret) => ({
    'x-hub-signature-256': await signGithub(key, body.toString()),
  }),
  slack: async (key) => slackFields(nowSeconds, key),
  shopify: async (key) => ({ 'x-shopify-hmac-sha256': hmac(body, 'base64', key) }),
  razorpay: async (key) => ({ 'x-razorpay-signature': hmac(body, 'hex', key) }),
}
const providers = Object.keys(genuine) as HmacProvider[]

test.for(providers)('%s: what the provider signed passes', async (provider) => {
  expect(hmacFault(provider, secret, webhook(await genuine[provider]()), nowMs)).toBeUndefined()
})

test.for(providers)('%s: another body, another secret, or none is refused', async (provider) => {
  const fields = await genuine[provider]()
  const foreign = await genuine[provider]('another secret')
  const changed = Buffer.from(body.toString().replace('evt_1', 'evt_2'))

  expect(hmacFault(provider, secret, webhook(fields, changed), nowMs)).toBe('mismatch')
  expect(hmacFault(provider, secret, webhook(foreign), nowMs)).toBe('mismatch')
  expect(hmacFault(provider, '', webhook(fields), nowMs)).toBe('mismatch')
  expect(hmacFault(provider, secret, webhook({}), nowMs)).toBe('missing')
})

test.for(providers)(
  '%s: a signature given twice is refused, whichever is right',
  async (provider) => {
    const fields = Object.entries(await genuine[provider]())
    const twice = Object.fromEntries(fields.map(([name, value]) => [name, [value, value]]))

    expect(hmacFault(provider, secret, webhook(twice), nowMs)).toBeDefined()
  },
)

test.for(providers)('%s: what is no signature is refused', async (provider) => {
  const names = Object.keys(await genuine[provider]())
  for (const value of ['', 'x', 'sha256=', 'v0=', 't=,v1=', 'é'.repeat(64), '0'.repeat(64)]) {
    const fields = Object.fromEntries(names.map((name) => [name, value]))
    expect(hmacFault(provider, secret, webhook(fields), nowMs)).toBeDefined()
  }
})

test.for([
  ['stripe', (at: number) => ({ 'stripe-signature': stripeHeader(at) })],
  ['slack', (at: number) => slackFields(at)],
] as const)(
  '%s: a timestamp 300 s off passes, and one beyond is stale, past and future',
  ([provider, fields]) => {
    const faultAt = (seconds: number) =>
      hmacFault(provider, secret, webhook(fields(nowSeconds + seconds)), nowMs)

    expect(faultAt(-300)).toBeUndefined()
    expect(faultAt(300)).toBeUndefined()
    expect(faultAt(-301)).toBe('stale')
    expect(faultAt(301)).toBe('stale')
  },
)

test('stripe: any of several signatures passes while a secret is rolled; a second timestamp does not', () => {
  const [time, signature] = stripeHeader().split(',')
  const rolled = `${time},v1=${'0'.repeat(64)},${signature},v0=${'0'.repeat(64)}`
  const twoTimes = `t=1,${time},${signature}`

  expect(
    hmacFault('stripe', secret, webhook({ 'stripe-signature': rolled }), nowMs),
  ).toBeUndefined()
  expect(hmacFault('stripe', secret, webhook({ 'stripe-signature': twoTimes }), nowMs)).toBe(
    'malformed',
  )
})

test('razorpay: what passes here passes its SDK, and what its SDK refuses is refused here', () => {
  const right = hmac(body)
  const wrong = hmac(body, 'hex', 'other')
  const here = (signature: string) =>
    hmacFault('razorpay', secret, webhook({ 'x-razorpay-signature': signature }), nowMs)

  expect(Razorpay.validateWebhookSignature(body.toString(), right, secret)).toBe(true)
  expect(here(right)).toBeUndefined()
  expect(Razorpay.validateWebhookSignature(body.toString(), wrong, secret)).toBe(false)
  expect(here(wrong)).toBe('mismatch')
})

test('bytes are signed, not text: a body that is not UTF-8 is compared as it came', () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0x00, 0x31])
  const asText = Buffer.from(bytes.toString('utf8'))
  const signed = webhook({ 'x-razorpay-signature': hmac(bytes) }, bytes)
  const ofText = webhook({ 'x-razorpay-signature': hmac(asText) }, bytes)

  expect(hmacFault('razorpay', secret, signed, nowMs)).toBeUndefined()
  expect(hmacFault('razorpay', secret, ofText, nowMs)).toBe('mismatch')
})
