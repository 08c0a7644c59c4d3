import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

import { LRUCache } from 'lru-cache'
import { z } from 'zod'

/** A preface is one line: `SLUICE-PEER/1`, its fields, and what proves that a relay wrote it. */
const protocol = 'SLUICE-PEER/1'
export const prefaceBytesMax = 4_096
/** A preface is good for this long before and after its own time: clocks of relays differ. */
const validMs = 30_000
/** Prefaces of the valid time that are known, so that none is taken twice. */
const noncesMax = 100_000

/** What a connection between relays is for. */
export const Preface = z.object({
  /** `http`: visitors' requests, one after the other. `raw`: one visitor's bytes. */
  mode: z.enum(['http', 'raw']),
  from: z.string().max(64),
  /** The relay that is meant: no other takes it. */
  to: z.string().max(64),
  atMs: z.number(),
  nonce: z.string().min(16).max(64),
  /** Raw only: the endpoint host, `tcp:<port>` or `udp:<port>`, and who the visitor is. */
  name: z.string().max(253).optional(),
  visitorIp: z.string().max(64).optional(),
  visitorPort: z.number().int().min(0).max(65_535).optional(),
  epoch: z.number().int().optional(),
})
export type Preface = z.infer<typeof Preface>

type Stated = Omit<Preface, 'atMs' | 'nonce'>

/** Writes the first line of a connection to another relay. */
export function writePreface(secret: string, stated: Stated, nowMs = Date.now()): Buffer {
  const nonce = randomBytes(16).toString('base64url')
  const fields = Buffer.from(JSON.stringify({ ...stated, atMs: nowMs, nonce })).toString(
    'base64url',
  )
  return Buffer.from(`${protocol} ${fields} ${proofOf(secret, fields)}\r\n`, 'latin1')
}

/** Reads prefaces, each once. */
export class PrefaceReader {
  readonly #secret: string
  readonly #relayId: string
  readonly #now: () => number
  readonly #nonces: LRUCache<string, true>

  constructor(secret: string, relayId: string, now: () => number = Date.now) {
    this.#secret = secret
    this.#relayId = relayId
    this.#now = now
    this.#nonces = new LRUCache({ max: noncesMax, ttl: 2 * validMs })
  }

  /** The preface in a line without its end; undefined when it is forged, stale, for another relay, or was seen before. */
  read(line: string): Preface | undefined {
    const [name, fields = '', proof = '', ...rest] = line.split(' ')
    if (name !== protocol || rest.length > 0) return undefined
    const given = Buffer.from(proof, 'latin1')
    const right = Buffer.from(proofOf(this.#secret, fields), 'latin1')
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    const parsed = Preface.safeParse(JSON.parse(Buffer.from(fields, 'base64url').toString()))
    if (!parsed.success) return undefined
    const { to, atMs, nonce } = parsed.data
    if (to !== this.#relayId || Math.abs(this.#now() - atMs) > validMs) return undefined
    if (this.#nonces.has(nonce)) return undefined
    this.#nonces.set(nonce, true)
    return parsed.data
  }
}

function proofOf(secret: string, fields: string): string {
  return createHmac('sha256', secret).update(`${protocol} ${fields}`).digest('base64url')
}
