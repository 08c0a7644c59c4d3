import { lookup } from 'node:dns/promises'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'

import { isPublicAddress } from './public-address.ts'

export interface GuardedRequest {
  /** GET when left out. */
  readonly method?: string
  /** `host`, and what frames the message, cannot be set. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** For all of it: name, connection, head and body. */
  readonly timeoutMs?: number
  /** The largest body that is read. */
  readonly bytesMax?: number
  readonly signal?: AbortSignal
}

export interface Guard {
  /** For development and tests: addresses and ports of private networks count as public ones. */
  readonly allowPrivate: boolean
  /** Asked once for each request; the system's resolver when left out. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
}

const timeoutMsDefault = 10_000
const bytesMaxDefault = 1024 * 1024
const urlCharactersMax = 2_048
/** Enough for a name behind a balancer; a name with hundreds is not one to try in turn. */
const addressesMax = 8
const publicPorts = new Set([80, 443, 8080, 8443, 9443])
const redirects = new Set([301, 302, 303, 307, 308])
/** These have no body (RFC 9110), and `Response` refuses one. */
const bodiless = new Set([204, 205, 304])
/** Set by what is sent and to whom, never by a tenant. */
const ownHeaders = new Set(
  'host connection content-length transfer-encoding upgrade te trailer expect'.split(' '),
)

interface Found {
  address: string
  family: 4 | 6
}

/**
 * Fetches an address that a tenant has named, so that it cannot lead into our own network: the name is resolved once,
 * every address of it must be public, and the connection goes to one that was checked. No redirect is followed.
 * Answers a whole `Response`, of whatever status, or throws one of the SLUICE_ADDRESS_… errors.
 */
export async function guardedFetch(
  address: string | URL,
  request: GuardedRequest,
  guard: Guard,
): Promise<Response> {
  const url = parseGuardedUrl(address, guard)
  const timeoutMs = request.timeoutMs ?? timeoutMsDefault
  const timer = AbortSignal.timeout(timeoutMs)
  const signal = request.signal ? AbortSignal.any([timer, request.signal]) : timer
  try {
    const found = await abortable(addressesOf(url, guard), signal)
    const answer = await send(url, found, request, signal)
    return await responseOf(url, answer, request.bytesMax ?? bytesMaxDefault)
  } catch (error) {
    if (error instanceof SluiceError) throw error
    request.signal?.throwIfAborted()
    const { host } = url
    if (timer.aborted) {
      const seconds = Math.ceil(timeoutMs / 1000)
      throw new SluiceError('SLUICE_ADDRESS_TIMEOUT', { host, seconds }, { cause: error })
    }
    const reason = reasonOf(error)
    throw new SluiceError('SLUICE_ADDRESS_UNREACHABLE', { host, reason }, { cause: error })
  }
}

/** The address that would be asked. Throws SLUICE_ADDRESS_INVALID for one that never is: tell a tenant when they enter it. */
export function parseGuardedUrl(
  address: string | URL,
  { allowPrivate }: Pick<Guard, 'allowPrivate'>,
): URL {
  const text = String(address)
  const url = text.length <= urlCharactersMax ? URL.parse(text) : null
  if (!url || url.hostname === '') throw addressInvalid('it is not a complete URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw addressInvalid('it does not begin with https:// or http://')
  }
  if (url.username !== '' || url.password !== '') {
    throw addressInvalid('it holds a user name or password')
  }
  if (!allowPrivate && !publicPorts.has(portOf(url))) {
    throw addressInvalid(`the port is not one of ${Array.from(publicPorts).join(', ')}`)
  }
  return url
}

/** The checked addresses of the host. Throws SLUICE_ADDRESS_NOT_PUBLIC if only one of them is private. */
async function addressesOf(url: URL, guard: Guard): Promise<Found[]> {
  // The URL parser has turned every spelling of an IPv4 address (hexadecimal, octal, one number) into four decimals.
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const texts = isIP(name) ? [name] : await (guard.resolve ?? resolveBySystem)(name)
  const found = texts.flatMap((text): Found[] => {
    const family = isIP(text)
    return family === 4 || family === 6 ? [{ address: text, family }] : []
  })
  const safe = guard.allowPrivate || found.every((one) => isPublicAddress(one.address))
  // The same answer for a name that does not exist: names of our own network are nobody's business.
  if (found.length === 0 || !safe) {
    throw new SluiceError('SLUICE_ADDRESS_NOT_PUBLIC', { host: url.host })
  }
  return found.slice(0, addressesMax)
}

async function resolveBySystem(name: string): Promise<string[]> {
  try {
    const found = await lookup(name, { all: true, order: 'verbatim' })
    return found.map((one) => one.address)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw error
  }
}

function send(
  url: URL,
  found: readonly Found[],
  { method = 'GET', headers = {}, body }: GuardedRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const [first] = found
  const options = {
    method,
    headers: headersOf(headers, body),
    signal,
    // A connection of its own: one that is kept would be used again without asking what its name means now.
    agent: false,
    // Node dials what this says and nothing else, while Host and TLS server name stay those of the URL.
    autoSelectFamily: true,
    lookup: (
      _name: string,
      { all }: { all?: boolean },
      done: (error: null, address: string | Found[], family?: number) => void,
    ) => (all ? done(null, [...found]) : done(null, first?.address ?? '', first?.family ?? 4)),
  }
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    const sent = request(url, options as Parameters<typeof requestHttps>[1] & object, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

function headersOf(
  given: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
): Record<string, string> {
  const kept = Object.entries(given).filter(([name]) => !ownHeaders.has(name.toLowerCase()))
  return {
    // Nothing is unpacked here, so a small answer cannot become a large one.
    'accept-encoding': 'identity',
    'user-agent': 'Sluice',
    ...Object.fromEntries(kept.map(([name, value]) => [name.toLowerCase(), value])),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    connection: 'close',
  }
}

async function responseOf(url: URL, answer: IncomingMessage, bytesMax: number): Promise<Response> {
  const status = answer.statusCode ?? 0
  try {
    if (redirects.has(status)) {
      throw new SluiceError('SLUICE_ADDRESS_REDIRECTS', { host: url.host })
    }
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bytesMax) {
        throw new SluiceError('SLUICE_ADDRESS_ANSWER_TOO_LARGE', { host: url.host, max: bytesMax })
      }
      chunks.push(chunk)
    }
    const headers = new Headers()
    for (let at = 0; at < answer.rawHeaders.length; at += 2) {
      headers.append(answer.rawHeaders[at] ?? '', answer.rawHeaders[at + 1] ?? '')
    }
    return new Response(bodiless.has(status) ? null : Buffer.concat(chunks), { status, headers })
  } finally {
    answer.destroy()
  }
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

function addressInvalid(reason: string): SluiceError {
  return new SluiceError('SLUICE_ADDRESS_INVALID', { reason })
}

/** The system's resolver cannot be cancelled, but nobody has to wait for it. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its address',
  EAI_AGAIN: 'DNS did not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that is not known here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** Why, from a closed list: what a library writes could hold addresses. */
function reasonOf(error: unknown): string {
  const errors = error instanceof AggregateError ? error.errors : [error]
  const code = errors.map(codeOf).find((one) => one !== '') ?? ''
  return reasons[code] ?? (code.startsWith('HPE_') ? 'it does not speak HTTP' : 'it did not answer')
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
