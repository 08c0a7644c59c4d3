import type { HeadScanner } from '@sluice/wire'

export type Coding = 'br' | 'gzip'

/** Below this a coding costs more than it saves. */
const bodyBytesMin = 1_024

const textForm =
  /^(?:text\/[\w.+-]+|application\/(?:json|javascript|xml|graphql-response\+json|manifest\+json|x-ndjson|[\w.-]+\+(?:json|xml))|image\/svg\+xml)\s*(?:;|$)/i
/** Fields over the bytes as they are: compressed they would lie. */
const bodyDigests = new Set(['content-digest', 'digest', 'content-md5', 'repr-digest'])

/** What a request says about codings. */
export interface Accepted {
  readonly coding: Coding | undefined
  /** A part was asked for, bytes that nobody may change, or it cannot be framed anew. */
  readonly plain: boolean
}

export function acceptedOf(scanner: HeadScanner, buffer: Buffer): Accepted {
  let coding: Coding | undefined
  let plain = scanner.minorVersion === 0
  for (let index = 0; index < scanner.count; index += 1) {
    const name = scanner.nameOf(buffer, index).toLowerCase()
    if (name === 'accept-encoding') coding = codingOf(scanner.valueOf(buffer, index)) ?? coding
    else if (name === 'range') plain = true
    else if (name === 'cache-control') plain ||= isNoTransform(scanner.valueOf(buffer, index))
  }
  return { coding, plain }
}

/** A response as it is to go out: with a coding, its body is to be compressed; without one only its head has changed. */
export interface CompressionPlan {
  readonly coding: Coding | undefined
  readonly head: Buffer
}

/**
 * Decides over a response whose head was scanned. Undefined: it passes as it is. What could be compressed says that it
 * varies, also to those who take no coding, or a cache would give them what it has for others.
 */
export function planCompression(
  scanner: HeadScanner,
  buffer: Buffer,
  { coding, plain }: Accepted,
): CompressionPlan | undefined {
  const { status, contentLength } = scanner
  if (plain || status < 200 || status === 204 || status === 206 || status === 304) return undefined
  if (contentLength >= 0 && contentLength < bodyBytesMin) return undefined
  const fields = fieldsOf(scanner, buffer)
  if (!fields.isText || fields.coded || fields.fixed) return undefined
  const lines: string[] = []
  const removed = new Set<string>()
  if (!/(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(fields.vary)) {
    removed.add('vary')
    lines.push(`Vary: ${fields.vary === '' ? '' : `${fields.vary}, `}Accept-Encoding`)
  }
  if (coding) {
    // Until the end of the stream: the edge frames it anew.
    removed.add('content-length').add('accept-ranges').add('content-encoding')
    lines.push(`Content-Encoding: ${coding}`)
    if (fields.etag !== '' && !fields.etag.startsWith('W/')) {
      // The bytes are others now, and what they say is the same: RFC 9110 §8.8.1.
      removed.add('etag')
      lines.push(`ETag: W/${fields.etag}`)
    }
  }
  return { coding, head: rewritten(scanner, buffer, removed, lines) }
}

function rewritten(
  scanner: HeadScanner,
  buffer: Buffer,
  removed: ReadonlySet<string>,
  lines: readonly string[],
): Buffer {
  const kept = [buffer.toString('latin1', 0, scanner.fieldsStart)]
  for (let index = 0; index < scanner.count; index += 1) {
    const name = scanner.nameOf(buffer, index)
    if (removed.has(name.toLowerCase())) continue
    kept.push(`${name}: ${scanner.valueOf(buffer, index)}\r\n`)
  }
  for (const line of lines) kept.push(`${line}\r\n`)
  return Buffer.from(`${kept.join('')}\r\n`, 'latin1')
}

function fieldsOf(scanner: HeadScanner, buffer: Buffer) {
  const head = { isText: false, coded: false, fixed: false, vary: '', etag: '' }
  for (let index = 0; index < scanner.count; index += 1) {
    const name = scanner.nameOf(buffer, index).toLowerCase()
    const value = scanner.valueOf(buffer, index)
    if (name === 'content-type') head.isText = textForm.test(value)
    else if (name === 'content-encoding') head.coded ||= value.toLowerCase() !== 'identity'
    else if (name === 'cache-control') head.fixed ||= isNoTransform(value)
    else if (name === 'vary') head.vary = head.vary === '' ? value : `${head.vary}, ${value}`
    else if (name === 'etag') head.etag = value
    else if (bodyDigests.has(name)) head.fixed = true
  }
  return head
}

function isNoTransform(cacheControl: string): boolean {
  return /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(cacheControl)
}

/** The best coding that an Accept-Encoding allows; brotli before gzip at the same weight (RFC 9110 §12.5.3). */
function codingOf(value: string): Coding | undefined {
  let best: Coding | undefined
  let bestWeight = 0
  for (const part of value.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((one) => one.trim())
    if (name !== 'br' && name !== 'gzip') continue
    const weight = Number(/^q=([01](?:\.\d{0,3})?)$/.exec(parameters[0] ?? 'q=1')?.[1] ?? 0)
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && name === 'br')) {
      best = name
      bestWeight = weight
    }
  }
  return best
}
