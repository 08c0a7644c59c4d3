import {
  forgeriesInBatchMax,
  redisKeys,
  type Forged,
  type ForgeryBatch,
} from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import type { Log } from './log.ts'
import { networkOf } from './network.ts'

export interface ForgeryReports {
  /** Takes note and returns at once. `ip` is where it came from. */
  note(forged: Forged, ip: string): void
  close(): Promise<void>
}

const flushEveryMs = 5_000
/** Entries that nobody has read: a flood over hours while identity is away must not fill Redis. */
const batchesKeptMax = 1_000

/**
 * Tells identity of what was signed by nobody we know. What comes from one network in five seconds is one line with a count, so that an
 * attack of a million requests costs one entry in a stream, and one row in the end. Without Redis it is not seen: watching
 * must not keep what is watched from working.
 */
export function openForgeryReports({
  redis,
  part,
  log,
}: {
  redis: Redis | undefined
  /** Who was shown it, for people: a subgraph, or a relay by its id. */
  part: string
  log: Log
}): ForgeryReports {
  let seen = new Map<string, ForgeryBatch['seen'][number]>()
  let dropped = 0
  const timer = setInterval(() => void flush(), flushEveryMs)
  timer.unref()

  async function flush(): Promise<void> {
    if (seen.size === 0) return
    const batch: ForgeryBatch = { part, seen: [...seen.values()] }
    seen = new Map()
    if (dropped > 0) log.warn({ dropped }, 'forgeries came from too many networks at once')
    dropped = 0
    try {
      const kept = ['MAXLEN', '~', batchesKeptMax] as const
      await redis?.xadd(redisKeys.forgeries, ...kept, '*', 'batch', JSON.stringify(batch))
    } catch (error) {
      log.warn({ err: error }, 'forgeries could not be reported')
    }
  }

  return {
    note(forged, ip) {
      const key = `${forged} ${networkOf(ip)}`
      const known = seen.get(key)
      if (known) {
        known.count += 1
        known.ip = ip
      } else if (seen.size < forgeriesInBatchMax) seen.set(key, { forged, ip, count: 1 })
      else dropped += 1
    },
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

/** What jose says of a token that is well-formed and by nobody we know. One that expired, or is no token, is no forgery. */
const forgeryCodes = new Set([
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
])

/** Whether a verifier refused a token, or what it was wrapped in, for its signature. */
export function isForgery(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ('code' in one && forgeryCodes.has(String(one.code))) return true
  }
  return false
}
