import { createHmac, randomBytes } from 'node:crypto'

/** Signatures as standardwebhooks.com specifies them, so that its libraries verify them as they are. */

const secretPrefix = 'whsec_'
const secretBytes = 32

/** Standard base64 behind the prefix, which is what verifying libraries decode. */
export function createWebhookSecret(): string {
  return secretPrefix + randomBytes(secretBytes).toString('base64')
}

export interface SignedMessage {
  readonly id: string
  readonly at: Date
  readonly body: string
}

/** The headers of one attempt: one signature per secret, so that a receiver may change to the new one in its own time. */
export function signedHeaders(
  { id, at, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1000).toString()
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64')
    const content = `${id}.${timestamp}.${body}`
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
