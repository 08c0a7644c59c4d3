import { createPublicKey, verify, X509Certificate, type KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { LRUCache } from 'lru-cache'

import { only, type Webhook, type WebhookFault } from './signature.ts'

/** PayPal sends again for three days, with the time of the first attempt. */
const ageSecondsMax = 3 * 86_400
const aheadSecondsMax = 300
const certificatesMax = 20
const certificateKeptMs = 3_600_000
/** A certificate that could not be read is not asked for again before. */
const failureKeptMs = 30_000
const certificateBytesMax = 65_536
const fetchTimeoutMs = 5_000

/** Where PayPal publishes the certificates that it signs with: these hosts, this folder, and nothing else. */
const hosts = new Set([
  'api.paypal.com',
  'api-m.paypal.com',
  'api.sandbox.paypal.com',
  'api-m.sandbox.paypal.com',
])
const certificatePath = /^\/v1\/notifications\/certs\/[\w-]{1,128}$/
const subjectForm = /(?:^|\n)CN=messageverificationcerts(?:\.[a-z]+)?\.paypal\.com(?:\n|$)/

/** Reads the PEM text behind a certificate URL. */
export type FetchCertificate = (url: string) => Promise<string>

export interface PaypalOptions {
  /** Verifies with this PEM instead of what the URL names, for a relay without a way out. */
  readonly certificate?: string | undefined
  readonly fetchCertificate?: FetchCertificate
}

/** Checks PayPal's signature: RSA over transmission id, time, webhook id and the CRC32 of the body. */
export class Paypal {
  readonly #fixed: KeyObject | undefined
  readonly #fetch: FetchCertificate
  readonly #keys = new LRUCache<string, Promise<KeyObject>>({
    max: certificatesMax,
    ttl: certificateKeptMs,
  })

  constructor({ certificate, fetchCertificate = fetchPem }: PaypalOptions = {}) {
    this.#fixed = certificate === undefined ? undefined : createPublicKey(certificate)
    this.#fetch = fetchCertificate
  }

  async fault(
    webhookId: string,
    { values, body }: Webhook,
    nowMs: number,
  ): Promise<WebhookFault | undefined> {
    const id = only(values('paypal-transmission-id'))
    const time = only(values('paypal-transmission-time'))
    const signature = only(values('paypal-transmission-sig'))
    const algorithm = only(values('paypal-auth-algo'))
    const url = only(values('paypal-cert-url'))
    if (!id || !time || !signature || !algorithm || !url) return 'missing'
    if (algorithm !== 'SHA256withRSA' || !/^[A-Za-z0-9+/]{1,1024}={0,2}$/.test(signature)) {
      return 'malformed'
    }
    const ageSeconds = (nowMs - Date.parse(time)) / 1000
    if (Number.isNaN(ageSeconds) || id.includes('|') || time.includes('|')) return 'malformed'
    if (ageSeconds > ageSecondsMax || ageSeconds < -aheadSecondsMax) return 'stale'
    const key = await this.#keyOf(url, nowMs)
    if (!key) return 'certificate'
    const message = `${id}|${time}|${webhookId}|${crc32(body)}`
    const right = verify('sha256', Buffer.from(message), key, Buffer.from(signature, 'base64'))
    return right ? undefined : 'mismatch'
  }

  async #keyOf(url: string, nowMs: number): Promise<KeyObject | undefined> {
    if (this.#fixed) return this.#fixed
    if (!isCertificateUrl(url)) return undefined
    let reading = this.#keys.get(url)
    if (!reading) {
      reading = this.#fetch(url).then((pem) => publicKeyOf(pem, nowMs))
      this.#keys.set(url, reading)
      // Tried again soon, but not for each request.
      reading.catch(() =>
        this.#keys.set(url, reading as Promise<KeyObject>, { ttl: failureKeptMs }),
      )
    }
    return reading.catch(() => undefined)
  }
}

export function isCertificateUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, port, username, password, pathname, search } = new URL(text)
  const plain = port === '' && username === '' && password === '' && search === ''
  return protocol === 'https:' && plain && hosts.has(hostname) && certificatePath.test(pathname)
}

/**
 * The key of PayPal's certificate. That it is PayPal's own is what the TLS connection to PayPal's host proved; beside that
 * it must be valid today, carry PayPal's name, and be signed by what stands behind it in the file.
 */
export function publicKeyOf(pem: string, nowMs: number): KeyObject {
  const chain = (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one),
  )
  const [leaf] = chain
  if (!leaf) throw new Error('no certificate')
  for (const [index, certificate] of chain.entries()) {
    const { validFromDate, validToDate } = certificate
    if (nowMs < validFromDate.getTime() || nowMs > validToDate.getTime()) throw new Error('expired')
    const issuer = chain[index + 1]
    if (issuer && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))) {
      throw new Error('a broken chain')
    }
  }
  if (!subjectForm.test(leaf.subject)) throw new Error('not a certificate of PayPal for messages')
  return leaf.publicKey
}

async function fetchPem(url: string): Promise<string> {
  const signal = AbortSignal.timeout(fetchTimeoutMs)
  const response = await fetch(url, { signal, redirect: 'error' })
  if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
  let text = ''
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece
    if (text.length > certificateBytesMax) throw new Error('too large')
  }
  return text
}
