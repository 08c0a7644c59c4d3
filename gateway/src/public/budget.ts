import type { Log } from '@sluice/kit/log'
import type { Principal } from '@sluice/kit/principal'
import type { openRedis } from '@sluice/kit/redis'
import { SluiceError } from '@sluice/schema/errors'
import { LRUCache } from 'lru-cache'

/** What one key may ask in a minute, unless it was given another number of requests. */
export interface BudgetLimits {
  readonly publicRequestsPerMinute: number
  readonly publicCostPerMinute: number
  /** Of one operation. */
  readonly publicCostMax: number
}

/** What one request of a key may still spend. */
export interface Budget {
  /** Counts the request. Throws SLUICE_RATE_LIMITED when the key has had all of this minute. */
  enter(): Promise<void>
  /** Takes what an operation costs, before it runs. Throws when that is more than one may, or than is left. */
  spend(cost: number): Promise<CostReport>
  /** How much is left, for the answer's head. */
  headers(): Readonly<Record<string, string>>
}

/** `extensions.cost` of an answer: what the operation costs, may cost at most, and what is left of the minute. */
interface CostReport {
  readonly requested: number
  readonly max: number
  readonly remaining: number
}

export interface Budgets {
  of(principal: Principal): Budget
}

const windowMs = 60_000
const localWindowsMax = 10_000

/** Takes an amount if it is still there, in one step. Answers whether, what is used, and how long the window lasts. */
const takeScript = `local used = tonumber(redis.call('get', KEYS[1]) or '0')
local amount, max = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = redis.call('pttl', KEYS[1])
if left <= 0 then used = 0 left = tonumber(ARGV[3]) end
if used + amount > max then return {0, used, left} end
redis.call('set', KEYS[1], used + amount, 'px', left)
return {1, used + amount, left}`

interface Quota {
  readonly name: 'requests' | 'cost'
  readonly max: number
}

interface Taken {
  readonly isTaken: boolean
  readonly used: number
  readonly leftMs: number
}

/** Minutes of keys in Redis, shared by all replicas. While Redis is away each replica counts by itself. */
export function createBudgets(options: {
  redis: ReturnType<typeof openRedis>
  limits: BudgetLimits
  log: Log
}): Budgets {
  const { redis, limits, log } = options
  const local = new LRUCache<string, { used: number; endsAt: number }>({ max: localWindowsMax })

  function takeLocally(key: string, amount: number, max: number): Taken {
    const now = performance.now()
    const known = local.get(key)
    const window = known && known.endsAt > now ? known : { used: 0, endsAt: now + windowMs }
    const isTaken = window.used + amount <= max
    if (isTaken) window.used += amount
    local.set(key, window)
    return { isTaken, used: window.used, leftMs: window.endsAt - now }
  }

  async function take(keyId: string, { name, max }: Quota, amount: number): Promise<Taken> {
    const key = `sluice:public:${name}:${keyId}`
    try {
      const answer = (await redis.eval(takeScript, 1, key, amount, max, windowMs)) as number[]
      const [isTaken = 0, used = 0, leftMs = 0] = answer
      return { isTaken: isTaken === 1, used, leftMs }
    } catch (error) {
      // That Redis is away is in the log already.
      if (redis.status === 'ready') log.warn({ err: error }, 'a budget cannot be kept in Redis')
      return takeLocally(key, amount, max)
    }
  }

  return {
    of({ id, requestsPerMinute }) {
      const requests: Quota = {
        name: 'requests',
        max: requestsPerMinute ?? limits.publicRequestsPerMinute,
      }
      const cost: Quota = { name: 'cost', max: limits.publicCostPerMinute }
      const states = new Map<Quota, Taken>()

      async function takeOrThrow(quota: Quota, amount: number): Promise<Taken> {
        const taken = await take(id, quota, amount)
        states.set(quota, taken)
        if (taken.isTaken) return taken
        throw new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds: secondsOf(taken) })
      }

      return {
        async enter() {
          await takeOrThrow(requests, 1)
        },
        async spend(requested) {
          const max = limits.publicCostMax
          if (requested > max) throw new SluiceError('SLUICE_COST_EXCEEDED', { requested, max })
          const { used } = await takeOrThrow(cost, requested)
          return { requested, max, remaining: cost.max - used }
        },
        headers: () => headersOf([requests, cost], states),
      }
    },
  }
}

/** As the draft of the IETF has them (draft-ietf-httpapi-ratelimit-headers): quota, window, remaining, seconds to the reset. */
function headersOf(
  quotas: readonly Quota[],
  states: ReadonlyMap<Quota, Taken>,
): Record<string, string> {
  const policy = quotas.map(({ name, max }) => `"${name}";q=${max};w=${windowMs / 1000}`)
  const state = Array.from(states, ([{ name, max }, taken]) => {
    return `"${name}";r=${max - taken.used};t=${secondsOf(taken)}`
  })
  return {
    'ratelimit-policy': policy.join(', '),
    ...(state.length > 0 ? { ratelimit: state.join(', ') } : {}),
  }
}

function secondsOf({ leftMs }: Taken): number {
  return Math.max(1, Math.ceil(leftMs / 1000))
}
