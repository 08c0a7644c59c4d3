import type { Log } from '@sluice/kit/log'
import { networkOf } from '@sluice/kit/network'
import type { Redis } from 'ioredis'

export interface NetworkBlocksOptions {
  /** So many failures within the window block a network. */
  readonly failuresMax: number
  readonly windowMs: number
}

/** A network whose sign-ins are refused for now. */
export interface NetworkBlock {
  /** /24 of IPv4, /48 of IPv6. */
  readonly network: string
  readonly endsAt: Date
  /** How often it was blocked lately, this time included. */
  readonly strikes: number
}

/** What came of one more failure. */
interface Failed {
  readonly network: string
  /** Failures of the network in its window. */
  readonly failures: number
  /** For how long the network is blocked from now on; 0 when it is not. */
  readonly blockedMs: number
}

/** Which networks guess: too many failures block one, for longer each time. A block ends by itself. */
export interface NetworkBlocks {
  failed(ip: string): Promise<Failed>
  /** How long sign-ins from here are refused still; 0 when they are not. */
  waitSeconds(ip: string): Promise<number>
  /** Those that go on, the latest to end first. */
  list(): Promise<NetworkBlock[]>
  /** Ends a block and forgets what led to it. False when there is none. */
  lift(network: string): Promise<boolean>
}

const minuteMs = 60_000
const firstBlockMs = 5 * minuteMs
const blockMsMax = 24 * 60 * minuteMs
/** Without another block for so long, the next one is short again. */
const strikesKeptMs = 24 * 60 * minuteMs
const blocksShownMax = 500

/** All keys have one name in braces: scripts touch several, which a cluster allows on one node only. */
const keysOf = (network: string) => [
  `sluice:{abuse}:failures:${network}`,
  `sluice:{abuse}:strikes:${network}`,
  `sluice:{abuse}:block:${network}`,
  blocksKey,
]
const blocksKey = 'sluice:{abuse}:blocks'

/** Counts a failure; at the limit the network is blocked, twice as long as the last time. */
const failScript = `local n = redis.call('incr', KEYS[1])
if n == 1 then redis.call('pexpire', KEYS[1], ARGV[2]) end
if n < tonumber(ARGV[1]) then return {n, 0} end
redis.call('del', KEYS[1])
local strikes = redis.call('incr', KEYS[2])
redis.call('pexpire', KEYS[2], ARGV[5])
local ms = math.min(tonumber(ARGV[3]) * 2 ^ (strikes - 1), tonumber(ARGV[4]))
redis.call('set', KEYS[3], strikes, 'px', ms)
local time = redis.call('time')
redis.call('zadd', KEYS[4], time[1] * 1000 + ms, ARGV[6])
return {n, ms}`

const listScript = `local time = redis.call('time')
redis.call('zremrangebyscore', KEYS[1], '-inf', time[1] * 1000)
return redis.call('zrevrange', KEYS[1], 0, ARGV[1], 'withscores')`

const localNetworksMax = 10_000

interface LocalNetwork {
  failures: number
  windowEndsAt: number
  strikes: number
  blockedUntil: number
}

/** In Redis, shared by all replicas. While Redis is away each replica blocks by what it sees itself. */
export function createNetworkBlocks(
  redis: Redis,
  log: Log,
  { failuresMax, windowMs }: NetworkBlocksOptions,
): NetworkBlocks {
  const local = new Map<string, LocalNetwork>()

  function noteAway(error: unknown): void {
    if (redis.status === 'ready')
      log.warn({ err: error }, 'blocks of networks cannot be kept in Redis')
  }

  function failLocally(network: string): [failures: number, blockedMs: number] {
    const now = performance.now()
    const known = local.get(network) ?? {
      failures: 0,
      windowEndsAt: 0,
      strikes: 0,
      blockedUntil: 0,
    }
    if (known.windowEndsAt <= now)
      Object.assign(known, { failures: 0, windowEndsAt: now + windowMs })
    known.failures += 1
    local.delete(network)
    local.set(network, known)
    if (local.size > localNetworksMax) local.delete(local.keys().next().value ?? network)
    const { failures } = known
    if (failures < failuresMax) return [failures, 0]
    known.strikes += 1
    const blockedMs = Math.min(firstBlockMs * 2 ** (known.strikes - 1), blockMsMax)
    Object.assign(known, { failures: 0, blockedUntil: now + blockedMs })
    return [failures, blockedMs]
  }

  return {
    async failed(ip) {
      const network = networkOf(ip)
      const limits = [failuresMax, windowMs, firstBlockMs, blockMsMax, strikesKeptMs, network]
      try {
        const answer = (await redis.eval(failScript, 4, ...keysOf(network), ...limits)) as number[]
        const [failures = 0, blockedMs = 0] = answer
        return { network, failures, blockedMs }
      } catch (error) {
        noteAway(error)
        const [failures, blockedMs] = failLocally(network)
        return { network, failures, blockedMs }
      }
    },

    async waitSeconds(ip) {
      const network = networkOf(ip)
      const seenMs = (local.get(network)?.blockedUntil ?? 0) - performance.now()
      const [, , block = ''] = keysOf(network)
      const leftMs = await redis.pttl(block).catch((error: unknown) => {
        noteAway(error)
        return 0
      })
      return Math.max(0, Math.ceil(Math.max(leftMs, seenMs) / 1000))
    },

    async list() {
      const rows = (await redis
        .eval(listScript, 1, blocksKey, blocksShownMax - 1)
        .catch(() => [])) as string[]
      const blocks: NetworkBlock[] = []
      for (let index = 0; index < rows.length; index += 2) {
        const network = rows[index] ?? ''
        const strikes = Number(await redis.get(keysOf(network)[2] ?? '').catch(() => null))
        blocks.push({ network, endsAt: new Date(Number(rows[index + 1])), strikes: strikes || 1 })
      }
      return blocks
    },

    async lift(network) {
      const wasLocal = local.delete(network)
      const [failures = '', strikes = '', block = ''] = keysOf(network)
      const removed = await redis.zrem(blocksKey, network).catch(() => 0)
      await redis.del(failures, strikes, block).catch(() => 0)
      return wasLocal || removed > 0
    },
  }
}
