import type { EdgePolicy } from '@sluice/schema/claims'
import type { HeadScanner } from '@sluice/wire'

import { HeldBytes } from './held-request.ts'
import { Paypal, type PaypalOptions } from './paypal.ts'
import { hmacFault, type Webhook, type WebhookFault } from './signature.ts'

type WebhookPolicy = NonNullable<EdgePolicy['webhook']>

/** Checks the signatures of webhooks, and holds what that takes: a budget of memory and PayPal's certificates. */
export class WebhookCheck {
  readonly held = new HeldBytes()
  readonly #paypal: Paypal

  constructor(options: PaypalOptions = {}) {
    this.#paypal = new Paypal(options)
  }

  /** What is wrong with a webhook; undefined when it was signed with the secret. */
  async faultOf(
    { provider, secret }: WebhookPolicy,
    webhook: Webhook,
  ): Promise<WebhookFault | undefined> {
    const nowMs = Date.now()
    if (provider === 'paypal') return this.#paypal.fault(secret, webhook, nowMs)
    return hmacFault(provider, secret, webhook, nowMs)
  }
}

/** The fields that any provider signs with or about: short copies, since the scanner goes on to other heads. */
export function signedFieldsOf(scanner: HeadScanner, buffer: Buffer): Webhook['values'] {
  const fields = new Map<string, string[]>()
  for (let index = 0; index < scanner.count; index += 1) {
    const name = scanner.nameOf(buffer, index).toLowerCase()
    if (!/^(?:stripe|x-hub|x-slack|x-shopify|x-razorpay|paypal)-/.test(name)) continue
    fields.set(name, [...(fields.get(name) ?? []), scanner.valueOf(buffer, index)])
  }
  return (name) => fields.get(name) ?? []
}
