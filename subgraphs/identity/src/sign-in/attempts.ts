import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'

import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import type { Redis } from 'ioredis'

export interface AttemptLimit {
  readonly name: string
  readonly attemptsMax: number
  readonly windowMs: number
}

/** Every field of a request counts, so aliases and batches buy nothing. */
export const attemptLimits = {
  signInByEmailAndIp: { name: 'sign-in-email', attemptsMax: 10, windowMs: 15 * 60_000 },
  signInByIp: { name: 'sign-in', attemptsMax: 100, windowMs: 15 * 60_000 },
  signUpByIp: { name: 'sign-up', attemptsMax: 20, windowMs: 60 * 60_000 },
  socialByIp: { name: 'social', attemptsMax: 60, windowMs: 15 * 60_000 },
  refreshRefusedByIp: { name: 'refresh', attemptsMax: 60, windowMs: 10 * 60_000 },
  /** Adding members tells who has an account. */
  addMemberByUser: { name: 'add-member', attemptsMax: 60, windowMs: 60 * 60_000 },
  mailByUser: { name: 'mail', attemptsMax: 5, windowMs: 60 * 60_000 },
  mailLinkByIp: { name: 'mail-link', attemptsMax: 60, windowMs: 15 * 60_000 },
  resetByIp: { name: 'reset', attemptsMax: 20, windowMs: 60 * 60_000 },
  /** Counted for every address, so that it tells of none. */
  resetByEmail: { name: 'reset-email', attemptsMax: 5, windowMs: 60 * 60_000 },
  passwordByUser: { name: 'password', attemptsMax: 10, windowMs: 15 * 60_000 },
  codeByUser: { name: 'code', attemptsMax: 10, windowMs: 15 * 60_000 },
  createByUser: { name: 'create', attemptsMax: 60, windowMs: 60 * 60_000 },
  /** A first sync of thousands of people is a request for each. */
  scimByOrganization: { name: 'scim', attemptsMax: 3_000, windowMs: 60_000 },
} as const satisfies Record<string, AttemptLimit>

export interface Attempts {
  /** Throws SLUICE_RATE_LIMITED past the limit. */
  count(limit: AttemptLimit, key: string): Promise<void>
  forget(limit: AttemptLimit, key: string): Promise<void>
}

/** Counts and answers how long the window still lasts, in one step, so that no key stays without an end. */
const countScript = `local n = redis.call('incr', KEYS[1])
if n == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {n, redis.call('pttl', KEYS[1])}`

const localWindowsMax = 10_000

/** Fixed windows in Redis, shared by all replicas. While Redis is away each replica counts by itself. */
export function createAttempts(redis: Redis, log: Log): Attempts {
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

  async function countOnce(key: string, windowMs: number): Promise<[number, number]> {
    try {
      const [attempts, leftMs] = (await redis.eval(countScript, 1, key, windowMs)) as number[]
      return [attempts ?? 0, leftMs ?? 0]
    } catch (error) {
      // That Redis is away is in the log already.
      if (redis.status === 'ready') log.warn({ err: error }, 'attempts cannot be counted in Redis')
      return countLocally(key, windowMs)
    }
  }

  return {
    async count(limit, key) {
      const [attempts, leftMs] = await countOnce(keyOf(limit, key), limit.windowMs)
      if (attempts <= limit.attemptsMax) return
      const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1000))
      throw new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds })
    },
    async forget(limit, key) {
      local.delete(keyOf(limit, key))
      // A count that stays only limits a little earlier.
      await redis.del(keyOf(limit, key)).catch(() => undefined)
    },
  }
}

/** Whom a limit by address counts: an IPv6 customer has at least a /64. */
export function addressOf(ip: string): string {
  if (!isIPv6(ip)) return ip
  if (ip.startsWith('::ffff:')) return ip
  const [head = '', tail = ''] = ip.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const zeros = ip.includes('::') ? 8 - left.length - right.length : 0
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** Hashed: Redis needs to know no addresses of people. */
function keyOf(limit: AttemptLimit, key: string): string {
  return `sluice:attempts:${limit.name}:${createHash('sha256').update(key).digest('base64url')}`
}
