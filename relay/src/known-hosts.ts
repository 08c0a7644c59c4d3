import { redisKeys } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'

const recentMax = 20_000
const answersMax = 20_000
const answerKeptMs = 2_000
const lookUpMs = 300

/** Tells a tunnel that is offline (503) from a host nobody has (404). */
export class KnownHosts {
  readonly #redis: Redis | undefined
  /** Hosts that were served here. */
  readonly #recent = new LRUCache<string, true>({ max: recentMax })
  readonly #answers = new LRUCache<string, boolean>({ max: answersMax, ttl: answerKeptMs })

  constructor(redis: Redis | undefined) {
    this.#redis = redis
  }

  served(endpointHosts: readonly string[]): void {
    for (const endpointHost of endpointHosts) this.#recent.set(endpointHost, true)
  }

  async isKnown(endpointHost: string): Promise<boolean> {
    const answer = this.#answers.get(endpointHost)
    if (answer !== undefined) return answer
    const looked = await this.#lookUp(endpointHost)
    // Redis is away: what was served here a while ago is the best guess.
    if (looked === undefined) return this.#recent.has(endpointHost)
    this.#answers.set(endpointHost, looked)
    return looked
  }

  async #lookUp(endpointHost: string): Promise<boolean | undefined> {
    if (this.#redis?.status !== 'ready') return undefined
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), lookUpMs).unref()
    })
    try {
      const exists = await Promise.race([
        this.#redis.hexists(redisKeys.endpointHosts, endpointHost),
        late,
      ])
      if (exists === undefined) return undefined
      // The hash is rebuilt after a loss: until then, having served the host counts.
      return exists === 1 || this.#recent.has(endpointHost)
    } catch {
      return undefined
    }
  }
}
