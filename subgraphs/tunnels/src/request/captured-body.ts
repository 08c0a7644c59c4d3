import { constants, brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'

import { ObjectStoreError, type ObjectStore } from '@sluice/kit/object-store'
import { redisKeys, type RequestRecord } from '@sluice/schema/redis'

import type { JobDeps } from '../job-deps.ts'
import { dayOf, daysAfter } from './partition.ts'
import { isText, redact } from './redact.ts'

export type BodySide = 'request' | 'response'

/** What is stored of a body. The bytes are in the object store. */
export interface CapturedBody {
  /** Empty when none was named. */
  readonly contentType: string
  /** Bytes stored, after decoding. */
  readonly bytes: number
  /** The body was longer. */
  readonly truncated: boolean
}

export type CapturedBodies = Record<BodySide, CapturedBody | null>

/** A small compressed body can be a large one: more than this is cut, visibly. */
const decodedBytesMax = 256 * 1024
const contentTypeCharactersMax = 200

const noBodies: CapturedBodies = { request: null, response: null }

/** Where the body of a request is. Days and organizations come first: retention deletes by them. */
function bodyKey(
  {
    id,
    organizationId,
    startedAt,
  }: { id: string; organizationId: string; startedAt: Date | string },
  side: BodySide,
): string {
  return `${bodiesPrefix}${dayOf(new Date(startedAt))}/${organizationId}/${id}.${side}`
}

const bodiesPrefix = 'bodies/'

/**
 * Moves the bodies that a relay left in Redis to the object store: decoded, with secrets taken out. What cannot be
 * moved is let go of: the record of the request does not wait for its bodies.
 */
export async function keepBodies(
  { redis, objects, log }: Pick<JobDeps, 'redis' | 'objects' | 'log'>,
  record: RequestRecord,
): Promise<CapturedBodies> {
  if (!record.bodies || !objects) return noBodies
  const waiting = redisKeys.bodies(record.id)
  const kept = { ...noBodies }
  try {
    const found = await redis.hgetallBuffer(waiting)
    for (const side of ['request', 'response'] as const) {
      const bytes = found[side]
      const cut = record.bodies[side]
      if (bytes && cut) kept[side] = await keep(objects, record, side, bytes, cut.truncated)
    }
    await redis.del(waiting)
  } catch (error) {
    log.warn({ err: error, requestId: record.id }, 'a body was not kept')
  }
  return kept
}

/** The bytes of a stored body; null when they are gone before their record. */
export async function readBody(
  objects: ObjectStore | undefined,
  request: { id: string; organizationId: string; startedAt: Date | string },
  side: BodySide,
): Promise<Buffer | null> {
  try {
    return (await objects?.get(bodyKey(request, side))) ?? null
  } catch (error) {
    if (error instanceof ObjectStoreError) return null
    throw error
  }
}

/** Deletes the bodies of days that their organizations keep no more. A row lives for whole days after its own, and so do they. */
export async function dropExpiredBodies(
  objects: ObjectStore,
  daysKept: (organizationId: string) => number,
  today: string,
  signal: AbortSignal,
): Promise<void> {
  for (const day of await objects.list(bodiesPrefix)) {
    for (const organization of await objects.list(`${bodiesPrefix}${day}`)) {
      if (signal.aborted) return
      const keptSince = daysAfter(today, -daysKept(organization.slice(0, -1)) - 1)
      if (day.slice(0, -1) < keptSince) {
        await objects.deleteAll(`${bodiesPrefix}${day}${organization}`)
      }
    }
  }
}

async function keep(
  objects: ObjectStore,
  record: RequestRecord,
  side: BodySide,
  bytes: Buffer,
  cut: boolean,
): Promise<CapturedBody> {
  const headers = side === 'request' ? record.requestHeaders : record.responseHeaders
  const contentType = valueOf(headers, 'content-type').slice(0, contentTypeCharactersMax)
  const decoded = decode(bytes, valueOf(headers, 'content-encoding'))
  const whole = isText(contentType, decoded.bytes)
    ? Buffer.from(redact(decoded.bytes.toString('utf8'), contentType))
    : decoded.bytes
  const stored = whole.subarray(0, decodedBytesMax)
  await objects.put(bodyKey(record, side), stored, contentType || 'application/octet-stream')
  const truncated = cut || decoded.truncated || stored.length < whole.length
  return { contentType, bytes: stored.length, truncated }
}

const decoders: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => gunzipSync(bytes, cutZlib),
  'x-gzip': (bytes) => gunzipSync(bytes, cutZlib),
  deflate: (bytes) => inflateSync(bytes, cutZlib),
  br: (bytes) =>
    brotliDecompressSync(bytes, {
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
      maxOutputLength: bombBytesMax,
    }),
}
/** Beyond this a body is left as it came: 64 KiB of it can stand for 64 MiB. */
const bombBytesMax = 8 * 1024 * 1024
/** What was cut off decodes as far as it goes. */
const cutZlib = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: bombBytesMax }

function decode(bytes: Buffer, encoding: string): { bytes: Buffer; truncated: boolean } {
  const decoder = decoders[encoding.trim().toLowerCase()]
  if (!decoder) return { bytes, truncated: false }
  try {
    const decoded = decoder(bytes)
    return {
      bytes: decoded.subarray(0, decodedBytesMax),
      truncated: decoded.length > decodedBytesMax,
    }
  } catch {
    // Not what it says it is, or a bomb: the bytes as they came say more than nothing.
    return { bytes, truncated: false }
  }
}

function valueOf(headers: RequestRecord['requestHeaders'], name: string): string {
  return headers.find(([one]) => one.toLowerCase() === name)?.[1] ?? ''
}
