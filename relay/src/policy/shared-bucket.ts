import type { Redis } from 'ioredis'

/** While tokens are spent, relays tell each other this often. */
const syncMs = 100
/** An empty bucket asks again no sooner. */
const emptySyncMs = 20
/** A relay that has spent nothing for this long leaves its share to the others. */
const activeMs = 2_000

/**
 * KEYS[1] hash of the bucket · ARGV tokens per second, burst, tokens spent here, level to start from, relay, ms that a
 * relay counts as active. Answers the level of the whole bucket and how many relays share it. A debt is at most a burst.
 */
const spendScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rate, burst, spent = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(state[1]) or tonumber(ARGV[4])
local at = tonumber(state[2]) or now
level = math.min(burst, level + math.max(0, now - at) * rate / 1000) - spent
if level < -burst then level = -burst end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(now), 'relay:' .. ARGV[5], tostring(now))
local relays = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 6) == 'relay:' then
    if now - tonumber(all[i + 1]) > tonumber(ARGV[6]) then redis.call('HDEL', KEYS[1], all[i])
    else relays = relays + 1 end
  end
end
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(10000, 3 * burst / rate * 1000)))
return { tostring(level), relays }
`

export interface SharedBucketOptions {
  readonly key: string
  readonly relayId: string
  /** Undefined, or away: this relay keeps to its last share alone. */
  readonly redis: Pick<Redis, 'status' | 'eval'> | undefined
  readonly perSecond: number
  readonly burst: number
  readonly now?: () => number
}

/**
 * A token bucket that all relays of a tunnel share, asked without waiting. Each relay spends from its share, what is left
 * of the bucket divided by the relays that spend, and behind the requests tells Redis what it spent and hears what is
 * left. One relay alone is exact. With several, a relay that starts to spend may take, once, what the others count as
 * theirs: at most one burst, which the bucket books as debt, so that the rate over time is right.
 */
export class SharedBucket {
  readonly #options: SharedBucketOptions
  readonly #now: () => number
  perSecond: number
  #burst: number
  #relays = 1
  /** This relay's share of what is left, at the moment noted. */
  #level: number
  #atMs: number
  /** Spent and not yet told. */
  #untold = 0
  #syncedAtMs = -Infinity
  #timer: NodeJS.Timeout | undefined
  #syncing = false
  #closed = false

  constructor(options: SharedBucketOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.perSecond = options.perSecond
    this.#burst = options.burst
    this.#level = options.burst
    this.#atMs = this.#now()
  }

  /** Tokens that this relay may spend now; below zero it has to wait. */
  get level(): number {
    const nowMs = this.#now()
    const share = this.#burst / this.#relays
    const earned = ((nowMs - this.#atMs) / 1000) * (this.perSecond / this.#relays)
    this.#level = Math.min(share, this.#level + earned)
    this.#atMs = nowMs
    return this.#level
  }

  /** Takes tokens, below zero if need be. */
  spend(tokens: number): void {
    this.#level = this.level - tokens
    this.#untold += tokens
    this.#sync(this.#level < 1 ? emptySyncMs : syncMs)
  }

  /** How long until so many tokens are here. Asks meanwhile whether others have left more. */
  waitMs(tokens: number): number {
    const { level } = this
    if (level >= tokens) return 0
    this.#sync(emptySyncMs)
    return ((tokens - level) / this.perSecond) * this.#relays * 1000
  }

  /** Another limit holds from now on. */
  reshape(perSecond: number, burst: number): void {
    if (perSecond === this.perSecond && burst === this.#burst) return
    this.#level = Math.min(this.level, burst / this.#relays)
    this.perSecond = perSecond
    this.#burst = burst
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Tells and asks in the background, no sooner than `gapMs` after the last time. */
  #sync(gapMs: number): void {
    if (this.#options.redis === undefined || this.#syncing || this.#closed) return
    const delayMs = this.#syncedAtMs + gapMs - this.#now()
    if (delayMs <= 0) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      void this.#exchange(this.#options.redis)
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#sync(0)
      }, delayMs)
      this.#timer.unref()
    }
  }

  async #exchange(redis: Pick<Redis, 'status' | 'eval'>): Promise<void> {
    this.#syncing = true
    const told = this.#untold
    this.#untold = 0
    const before = Math.max(0, Math.min(this.#burst, (this.level + told) * this.#relays))
    const { key, relayId } = this.#options
    const args = [this.perSecond, this.#burst, told, before, relayId, activeMs]
    try {
      // What was spent while Redis is away is not told later: the last share has limited it.
      if (redis.status !== 'ready') return
      const answer = await redis.eval(spendScript, 1, key, ...args)
      if (!Array.isArray(answer)) return
      this.#relays = Math.max(1, Number(answer[1]))
      this.#level = Number(answer[0]) / this.#relays - this.#untold
      this.#atMs = this.#now()
    } catch {
      // Redis went away in between; the last share goes on.
    } finally {
      this.#syncing = false
      this.#syncedAtMs = this.#now()
      if (this.#untold > 0) this.#sync(syncMs)
    }
  }
}
