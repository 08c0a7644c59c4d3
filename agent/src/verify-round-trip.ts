import { SluiceError } from '@sluice/schema/errors'

import { createBackoff } from './backoff.ts'
import { delay } from './delay.ts'
import { networkReasonOf, requestText, type HttpAnswer } from './http-request.ts'
import { isLoopback } from './localhost.ts'
import type { ProxyOf } from './proxy.ts'
import type { BasicAuth } from './tunnel-input.ts'

const roundTripTotalMs = 15_000
const attemptTimeoutMs = 5_000
const retryBaseMs = 100
const retryCapMs = 1_000
const answerBytesMax = 64 * 1024

/** The agent answers this path itself, for the nonce it was told to expect. */
export const roundTripPath = (nonce: string) => `/.well-known/sluice-verify/${nonce}`

/** Refusals that only the edge of this very tunnel gives: the way from the visitor works. */
const ownPolicyCodes = new Set([
  'SLUICE_BASIC_AUTH_REQUIRED',
  'SLUICE_IP_DENIED',
  'SLUICE_CONNECTIONS_MAX',
  'SLUICE_REQUESTS_MAX',
  'SLUICE_WEBHOOK_UNVERIFIED',
  'SLUICE_VISITOR_CERTIFICATE_REQUIRED',
])

interface RoundTripOptions {
  /** The public addresses. `http:` is preferred: in development `https:` has no real certificate. */
  readonly urls: readonly string[]
  readonly nonce: string
  readonly basicAuth: BasicAuth | null
  readonly ca?: string | undefined
  readonly proxyOf?: ProxyOf | undefined
  readonly signal: AbortSignal
  readonly totalMs?: number
}

/** Makes a visitor's request through the public address until it comes back from our own agent. */
export async function verifyRoundTrip(options: RoundTripOptions): Promise<void> {
  const { urls, nonce, signal, totalMs = roundTripTotalMs } = options
  const address = urls.find((url) => url.startsWith('http:')) ?? urls[0]
  if (address === undefined) throw failed('no public address', 'the server named none')
  const backoff = createBackoff({ baseMs: retryBaseMs, capMs: retryCapMs })
  const deadline = Date.now() + totalMs
  let url = new URL(roundTripPath(nonce), address)
  let reason = 'there was no time'

  while (Date.now() < deadline) {
    signal.throwIfAborted()
    try {
      const answer = await visit(url, options)
      const verdict = judge(answer, options)
      if (verdict.kind === 'reached') return
      reason = verdict.reason
      if (verdict.kind === 'moved') url = verdict.url
    } catch (error) {
      signal.throwIfAborted()
      reason = networkReasonOf(error)
    }
    await delay(backoff.nextMs(), signal)
  }
  signal.throwIfAborted()
  throw failed(address, reason)
}

function visit(
  url: URL,
  { basicAuth, ca, proxyOf, signal }: RoundTripOptions,
): Promise<HttpAnswer> {
  const credentials = basicAuth && Buffer.from(`${basicAuth.user}:${basicAuth.password}`)
  return requestText(url, {
    headers: {
      accept: 'text/plain',
      'user-agent': 'sluice-round-trip',
      ...(credentials ? { authorization: `Basic ${credentials.toString('base64')}` } : {}),
    },
    timeoutMs: attemptTimeoutMs,
    answerBytesMax,
    ca,
    proxyOf,
    allowSelfSigned: isLoopback(url.hostname),
    signal,
  })
}

type Verdict =
  | { readonly kind: 'reached' }
  | { readonly kind: 'moved'; readonly url: URL; readonly reason: string }
  | { readonly kind: 'elsewhere'; readonly reason: string }

function judge({ status, headers, body }: HttpAnswer, { urls, nonce }: RoundTripOptions): Verdict {
  const code = headers['sluice-error']
  if (status === 200 && body.includes(nonce)) return { kind: 'reached' }
  if (typeof code === 'string' && ownPolicyCodes.has(code)) return { kind: 'reached' }
  const { location } = headers
  if (status >= 301 && status <= 308 && location !== undefined && URL.canParse(location)) {
    const url = new URL(location)
    // Only to another address of the same tunnel: credentials go along.
    if (urls.some((own) => new URL(own).origin === url.origin)) {
      return { kind: 'moved', url, reason: `it redirects to ${url.origin}` }
    }
  }
  const named = typeof code === 'string' ? `${status} ${code}` : String(status)
  return { kind: 'elsewhere', reason: `it answered ${named}` }
}

function failed(url: string, reason: string): SluiceError {
  return new SluiceError('SLUICE_ROUND_TRIP_FAILED', { url, reason })
}
