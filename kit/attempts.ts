import { createHash } from 'node:crypto'

import { SluiceError } from '@sluice/schema/errors'
import type { Redis } from 'ioredis'

import type { Log } from './log.ts'

export interface AttemptLimit {
  readonly name: string
  readonly attemptsMax: number
  readonly windowMs: number
}

/** One window to count in: a limit, and whom it counts. */
export type Counted = readonly [limit: AttemptLimit, key: string]

export interface Attempts {
  /** Throws SLUICE_RATE_LIMITED past the limit. */
  count(limit: AttemptLimit, key: string): Promise<void>
  /** Counts one attempt in several windows at once, such as account, address and network. Throws past any of the limits. */
  countAll(counted: readonly Counted[]): Promise<void>
  /** The same as a question: how long to wait, 0 when the attempt is within all limits. */
  waitSeconds(counted: readonly Counted[]): Promise<number>
  forget(limit: AttemptLimit, key: string): Promise<void>
}

/** Counts in all windows and answers how long each still lasts, in one step, so that no key stays without an end. */
const countScript = `local answer = {}
for i, key in ipairs(KEYS) do
  local n = redis.call('incr', key)
  if n == 1 then redis.call('pexpire', key, ARGV[i]) end
  answer[2 * i - 1] = n
  answer[2 * i] = redis.call('pttl', key)
end
return answer`

const localWindowsMax = 10_000

/**
 * Fixed windows in Redis, shared by all replicas; callers count per field or act, so that aliases and batches buy nothing.
 * While Redis is away each replica counts by itself. `onLimited` hears of each attempt past a limit.
 */
export function createAttempts(
  redis: Redis,
  log: Log,
  onLimited: (limit: AttemptLimit, key: string) => void = () => undefined,
): Attempts {
  const local = new Map<string, { attempts: number; endsAt: number }>()

  function countLocally(key: string, windowMs: number): [attempts: number, leftMs: number] {
    const now = performance.now()
    const known = local.get(key)
    const window = known && known.endsAt > now ? known : { attempts: 0, endsAt: now + windowMs }
    window.attempts += 1
    // Re-inserted at the end: the first is always the one that was tried longest ago.
    local.delete(key)
    local.set(key, window)
    if (local.size > localWindowsMax) local.delete(local.keys().next().value ?? key)
    return [window.attempts, window.endsAt - now]
  }

  /** Attempts and milliseconds left, in turn, of each window. */
  async function countOnce(counted: readonly Counted[]): Promise<number[]> {
    const keys = counted.map(([limit, key]) => keyOf(limit, key))
    const windows = counted.map(([{ windowMs }]) => windowMs)
    try {
      return (await redis.eval(countScript, keys.length, ...keys, ...windows)) as number[]
    } catch (error) {
      // That Redis is away is in the log already.
      if (redis.status === 'ready') log.warn({ err: error }, 'attempts cannot be counted in Redis')
      return keys.flatMap((key, index) => countLocally(key, windows[index] ?? 0))
    }
  }

  async function waitSeconds(counted: readonly Counted[]): Promise<number> {
    const figures = await countOnce(counted)
    let waitMs = 0
    counted.forEach(([limit, key], index) => {
      const [attempts = 0, leftMs = 0] = figures.slice(2 * index, 2 * index + 2)
      if (attempts <= limit.attemptsMax) return
      onLimited(limit, key)
      waitMs = Math.max(waitMs, leftMs, 1)
    })
    return Math.ceil(waitMs / 1000)
  }

  async function countAll(counted: readonly Counted[]): Promise<void> {
    const retryAfterSeconds = await waitSeconds(counted)
    if (retryAfterSeconds > 0) throw new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds })
  }

  return {
    count: (limit, key) => countAll([[limit, key]]),
    countAll,
    waitSeconds,
    async forget(limit, key) {
      local.delete(keyOf(limit, key))
      // A count that stays only limits a little earlier.
      await redis.del(keyOf(limit, key)).catch(() => undefined)
    },
  }
}

/** Hashed: Redis needs to know no addresses of people. In braces what keeps the keys of one script on one node of a cluster. */
function keyOf(limit: AttemptLimit, key: string): string {
  return `sluice:{attempts}:${limit.name}:${createHash('sha256').update(key).digest('base64url')}`
}
