import type { AgentTokenClaims } from '@sluice/schema/claims'
import { redisKeys } from '@sluice/schema/redis'
import type { Redis } from 'ioredis'

import { Bandwidth, bandwidthBurst } from './bandwidth.ts'
import { RequestRate } from './request-rate.ts'
import { SharedBucket } from './shared-bucket.ts'

export interface LimitsDeps {
  readonly relayId: string
  readonly redis: Redis | undefined
  /** What was sent behind a wait is to be flushed. */
  readonly flush: () => void
  /** A tunnel got a bandwidth limit that had none: what is under way has to keep to it too. */
  readonly onLimited?: (limits: TunnelLimits) => void
}

/** What one tunnel may use of a relay at once and over time, whatever the number of its sessions here. */
export class TunnelLimits {
  readonly #deps: LimitsDeps | undefined
  /** Visitor requests and connections being served now. */
  active = 0
  /** Absent: no limit, and nothing to ask. */
  rate: RequestRate | undefined
  bandwidth: Bandwidth | undefined
  #rateAs = ''
  #bytesPerSecond: number | undefined
  #bytes: SharedBucket | undefined

  constructor(deps?: LimitsDeps) {
    this.#deps = deps
  }

  /** Follows the claims of the newest agent token, also for streams that are under way. */
  update({ tunnelId, policy, bandwidthBytesPerSecond }: AgentTokenClaims): void {
    this.#updateRate(tunnelId, policy.requestRate)
    this.#updateBandwidth(tunnelId, bandwidthBytesPerSecond)
  }

  close(): void {
    this.rate?.close()
    this.bandwidth?.close()
  }

  #updateRate(tunnelId: string, rate: AgentTokenClaims['policy']['requestRate']): void {
    const as = rate ? `${rate.perSecond}/${rate.burst}` : ''
    if (as === this.#rateAs) return
    this.#rateAs = as
    this.rate?.close()
    this.rate = rate
      ? new RequestRate(
          this.#bucket(redisKeys.requestRate(tunnelId), rate.perSecond, rate.burst),
          rate.perSecond,
          rate.burst,
        )
      : undefined
  }

  #updateBandwidth(tunnelId: string, bytesPerSecond: number | undefined): void {
    if (bytesPerSecond === this.#bytesPerSecond) return
    this.#bytesPerSecond = bytesPerSecond
    if (bytesPerSecond === undefined) {
      const before = this.bandwidth
      this.bandwidth = undefined
      before?.close()
      return
    }
    const burst = bandwidthBurst(bytesPerSecond)
    if (this.bandwidth) this.#bytes?.reshape(bytesPerSecond, burst)
    else {
      this.#bytes = this.#bucket(redisKeys.bandwidth(tunnelId), bytesPerSecond, burst)
      this.bandwidth = new Bandwidth(this.#bytes, this.#deps?.flush ?? (() => undefined))
      if (this.active > 0) this.#deps?.onLimited?.(this)
    }
  }

  #bucket(key: string, perSecond: number, burst: number): SharedBucket {
    const { relayId = '', redis } = this.#deps ?? {}
    return new SharedBucket({ key, relayId, redis, perSecond, burst })
  }
}

/** The limits of all tunnels with a session here. They outlive a session that another one of its tunnel replaces. */
export class LimitsOfTunnels {
  readonly #deps: LimitsDeps
  readonly #held = new Map<string, { limits: TunnelLimits; sessions: number }>()

  constructor(deps: LimitsDeps) {
    this.#deps = deps
  }

  hold(claims: AgentTokenClaims): TunnelLimits {
    const held = this.#held.get(claims.tunnelId) ?? {
      limits: new TunnelLimits(this.#deps),
      sessions: 0,
    }
    held.sessions += 1
    held.limits.update(claims)
    this.#held.set(claims.tunnelId, held)
    return held.limits
  }

  release(tunnelId: string): void {
    const held = this.#held.get(tunnelId)
    if (!held) return
    held.sessions -= 1
    if (held.sessions > 0) return
    this.#held.delete(tunnelId)
    held.limits.close()
  }
}
