import type { AgentTokenClaims } from '@sluice/schema/claims'
import type { Session } from '@sluice/wire'

import { compilePolicy, type CompiledPolicy } from './policy/policy.ts'
import { TunnelLimits, type LimitsOfTunnels } from './policy/tunnel-limits.ts'
import { TokenBucket } from './token-bucket.ts'

/** Request records of one tunnel per second that leave the relay. Usage counts every request. */
const recordsPerSecondMax = 100
const recordsBurst = 200
/** Answers of the agent itself that one session may give unseen: it needs one or two, and no more are believed. */
const ownAnswersMax = 16
/** Such an answer has no more body than this. */
export const ownAnswerBytesMax = 512

/** One agent session and the tunnel it serves. */
export class TunnelSession {
  readonly id: string
  readonly session: Session
  readonly agentVersion: string
  readonly openedAt: Date
  claims: AgentTokenClaims
  policy: CompiledPolicy | undefined
  /** What the tunnel may use of this relay, shared by all its sessions here. */
  limits = new TunnelLimits()
  readonly records = new TokenBucket(recordsPerSecondMax, recordsBurst)
  #ownAnswers = 0
  #active = 0
  // Counted since usage was last taken
  requests = 0
  bytesIn = 0
  bytesOut = 0

  constructor(id: string, session: Session, claims: AgentTokenClaims, agentVersion: string) {
    this.id = id
    this.session = session
    this.claims = claims
    this.agentVersion = agentVersion
    this.openedAt = new Date()
    this.policy = compilePolicy(claims.policy)
  }

  /** Whether the tunnel serves as many visitors at once as it may. */
  get full(): boolean {
    return this.limits.active >= this.claims.maxConcurrentConns
  }

  /** Visitor requests and connections that this session serves now. They count for the tunnel too. */
  get active(): number {
    return this.#active
  }

  set active(count: number) {
    this.limits.active += count - this.#active
    this.#active = count
  }

  /** Whether another answer of the agent itself may stay out of records and usage. */
  takeOwnAnswer(): boolean {
    this.#ownAnswers += 1
    return this.#ownAnswers <= ownAnswersMax
  }

  renew(claims: AgentTokenClaims): void {
    const samePolicy = JSON.stringify(claims.policy) === JSON.stringify(this.claims.policy)
    this.claims = claims
    if (!samePolicy) this.policy = compilePolicy(claims.policy)
    this.limits.update(claims)
  }
}

/** Which session serves an endpoint host. The relay's only state, and gone with it. */
export class Sessions {
  readonly #byHost = new Map<string, TunnelSession>()
  readonly #byTunnel = new Map<string, TunnelSession>()
  readonly #limits: LimitsOfTunnels | undefined

  constructor(limits?: LimitsOfTunnels) {
    this.#limits = limits
  }

  find(endpointHost: string): TunnelSession | undefined {
    return this.#byHost.get(endpointHost)
  }

  ofTunnel(tunnelId: string): TunnelSession | undefined {
    return this.#byTunnel.get(tunnelId)
  }

  all(): Iterable<TunnelSession> {
    return this.#byTunnel.values()
  }

  get size(): number {
    return this.#byTunnel.size
  }

  /** Takes the tunnel's endpoint hosts. Answers the session that held them, which is to be ended, or `fenced` when that one is newer. */
  open(tunnel: TunnelSession): TunnelSession | undefined | 'fenced' {
    const before = this.#byTunnel.get(tunnel.claims.tunnelId)
    if (before && before.claims.epoch > tunnel.claims.epoch) return 'fenced'
    if (this.#limits) tunnel.limits = this.#limits.hold(tunnel.claims)
    if (before) this.#unmap(before)
    this.#byTunnel.set(tunnel.claims.tunnelId, tunnel)
    for (const endpointHost of tunnel.claims.endpointHosts) this.#byHost.set(endpointHost, tunnel)
    return before
  }

  /** After a renewal the hosts may be others. */
  remap(tunnel: TunnelSession, claims: AgentTokenClaims): void {
    if (this.#byTunnel.get(tunnel.claims.tunnelId) !== tunnel) return
    this.#unmap(tunnel)
    tunnel.renew(claims)
    this.#byTunnel.set(claims.tunnelId, tunnel)
    for (const endpointHost of claims.endpointHosts) this.#byHost.set(endpointHost, tunnel)
  }

  /** False when another session had taken over before. */
  close(tunnel: TunnelSession): boolean {
    this.#limits?.release(tunnel.claims.tunnelId)
    const held = this.#byTunnel.get(tunnel.claims.tunnelId) === tunnel
    this.#unmap(tunnel)
    return held
  }

  #unmap(tunnel: TunnelSession): void {
    const { tunnelId, endpointHosts } = tunnel.claims
    if (this.#byTunnel.get(tunnelId) === tunnel) this.#byTunnel.delete(tunnelId)
    for (const endpointHost of endpointHosts) {
      if (this.#byHost.get(endpointHost) === tunnel) this.#byHost.delete(endpointHost)
    }
  }
}
