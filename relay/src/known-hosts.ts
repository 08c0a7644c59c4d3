import type { ErrorCode } from '@sluice/schema/errors'
import { relayOperations } from '@sluice/schema/operations/relay'
import { redisKeys } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'

import { askGraph } from './graph.ts'
import { TokenBucket } from './token-bucket.ts'

const recentMax = 20_000
const answersMax = 20_000
const answerKeptMs = 2_000
/** What the control plane had to be asked for is kept for longer. */
const askedKeptMs = 10_000
const lookUpMs = 300
const askMsMax = 2_000
/** Questions to the control plane, however many hosts somebody makes up. */
const asksPerSecond = 20
const asksBurst = 50
/** After a question without an answer nobody waits for the next one. */
const askAgainMs = 1_000

/** Answers whether a tunnel has this host, by the control plane's tables. Throws when it cannot be asked. */
export type AskHost = (endpointHost: string, signal: AbortSignal) => Promise<boolean>

export interface KnownHostsOptions {
  readonly redis: Redis | undefined
  /** Undefined: there is no control plane to ask. */
  readonly ask: AskHost | undefined
}

/** Tells a tunnel that is offline (503) from a host nobody has (404), and from one of which nothing can be said now (503). */
export class KnownHosts {
  readonly #redis: Redis | undefined
  readonly #ask: AskHost | undefined
  /** Hosts that were served here, or by another relay. */
  readonly #recent = new LRUCache<string, true>({ max: recentMax })
  readonly #answers = new LRUCache<string, boolean>({ max: answersMax, ttl: answerKeptMs })
  readonly #finding = new Map<string, Promise<boolean | undefined>>()
  readonly #asks = new TokenBucket(asksPerSecond, asksBurst)
  readonly #closed = new AbortController()
  #askFromMs = 0

  constructor({ redis, ask }: KnownHostsOptions) {
    this.#redis = redis
    this.#ask = ask
  }

  served(endpointHosts: readonly string[]): void {
    for (const endpointHost of endpointHosts) this.#recent.set(endpointHost, true)
  }

  /** Why nobody serves this host. 404 is said only by whoever knows. */
  async codeOf(endpointHost: string): Promise<ErrorCode> {
    const known = await this.#find(endpointHost)
    if (known === undefined) return 'SLUICE_HOST_UNDETERMINED'
    return known ? 'SLUICE_TUNNEL_OFFLINE' : 'SLUICE_TUNNEL_UNKNOWN'
  }

  /** Whether a tunnel has this host, as far as can be found out. */
  async isKnown(endpointHost: string): Promise<boolean> {
    return (await this.#find(endpointHost)) === true
  }

  close(): void {
    this.#closed.abort()
  }

  /** One search at a time for each host. */
  #find(endpointHost: string): Promise<boolean | undefined> {
    const answer = this.#answers.get(endpointHost)
    if (answer !== undefined) return Promise.resolve(answer)
    const under = this.#finding.get(endpointHost)
    if (under) return under
    const finding = this.#search(endpointHost).finally(() => this.#finding.delete(endpointHost))
    this.#finding.set(endpointHost, finding)
    return finding
  }

  async #search(endpointHost: string): Promise<boolean | undefined> {
    const looked = await this.#lookUp(endpointHost)
    if (looked !== undefined) {
      this.#answers.set(endpointHost, looked)
      return looked
    }
    // Redis cannot tell: what was served a while ago is the best guess, and costs nobody a wait.
    if (this.#recent.has(endpointHost)) return true
    if (this.#ask) return this.#askFor(endpointHost, this.#ask)
    // Nobody says that it is complete where there is no control plane.
    return this.#redis === undefined || this.#redis.status === 'ready' ? false : undefined
  }

  /** What Redis says; undefined when it is away, or does not hold every host (again). */
  async #lookUp(endpointHost: string): Promise<boolean | undefined> {
    if (this.#redis?.status !== 'ready') return undefined
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), lookUpMs).unref()
    })
    const { endpointHosts, endpointHostsComplete } = redisKeys
    const reading = this.#redis
      .multi()
      .hexists(endpointHosts, endpointHost)
      .exists(endpointHostsComplete)
      .exec()
    try {
      const answers = await Promise.race([reading, late])
      const [exists, complete] = answers?.map(([, answer]) => answer === 1) ?? []
      return exists || complete ? exists : undefined
    } catch {
      return undefined
    }
  }

  async #askFor(endpointHost: string, ask: AskHost): Promise<boolean | undefined> {
    const nowMs = performance.now()
    if (nowMs < this.#askFromMs || !this.#asks.take(nowMs)) return undefined
    try {
      const deadline = AbortSignal.timeout(askMsMax)
      const exists = await ask(endpointHost, AbortSignal.any([this.#closed.signal, deadline]))
      this.#answers.set(endpointHost, exists, { ttl: askedKeptMs })
      return exists
    } catch {
      this.#askFromMs = performance.now() + askAgainMs
      return undefined
    }
  }
}

const Answer = z.object({ relayHostExists: z.boolean() })

/** Asks the control plane with the relay key. */
export function askHostOf(gateway: {
  readonly gatewayUrl: string
  readonly relayKey: string
}): AskHost {
  const operation = { operationName: 'RelayHostExists', query: relayOperations.hostExists }
  return async (endpointHost, signal) => {
    const data = await askGraph(gateway, { ...operation, variables: { endpointHost } }, signal)
    return Answer.parse(data).relayHostExists
  }
}
