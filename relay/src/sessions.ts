import type { AgentTokenClaims } from '@sluice/schema/claims'
import type { Session } from '@sluice/wire'

import { compilePolicy, type CompiledPolicy } from './policy/policy.ts'
import { TunnelLimits, type LimitsOfTunnels } from './policy/tunnel-limits.ts'
import { Pool } from './pool.ts'
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
  /** What the agent calls itself, the same for all of its sessions; empty when it does not say. */
  agentId = ''
  readonly openedAt: Date
  claims: AgentTokenClaims
  policy: CompiledPolicy | undefined
  /** The sessions that serve the tunnel together with this one, when they pool. */
  pool: Pool | undefined
  /** The instant, by the clock of Redis, of its right to the tunnel; empty until it is known. */
  routeAt = ''
  /** The agent has a newer session on another relay: nothing new is sent to this one. */
  moved = false
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

/** Which session serves an endpoint host, or the port of a raw tunnel. The relay's only state, and gone with it. */
export class Sessions {
  readonly #byName = new Map<string, TunnelSession>()
  readonly #byTunnel = new Map<string, TunnelSession>()
  /** All members of pools; whatever is not here is the only session of its tunnel. */
  readonly #pooled = new Set<TunnelSession>()
  readonly #limits: LimitsOfTunnels | undefined

  constructor(limits?: LimitsOfTunnels) {
    this.#limits = limits
  }

  /** The session for the next request under a name: an endpoint host, `tcp:<port>` or `udp:<port>`. */
  find(name: string): TunnelSession | undefined {
    const tunnel = this.#byName.get(name)
    return tunnel?.pool === undefined ? tunnel : tunnel.pool.pick()
  }

  ofTunnel(tunnelId: string): TunnelSession | undefined {
    return this.#byTunnel.get(tunnelId)
  }

  /** All sessions of a tunnel: several when they pool. */
  allOf(tunnelId: string): TunnelSession[] {
    const tunnel = this.#byTunnel.get(tunnelId)
    return tunnel ? [...(tunnel.pool ?? [tunnel])] : []
  }

  *all(): Generator<TunnelSession> {
    for (const tunnel of this.#byTunnel.values()) if (!tunnel.pool) yield tunnel
    yield* this.#pooled
  }

  /** One session of each tunnel. */
  tunnels(): Iterable<TunnelSession> {
    return this.#byTunnel.values()
  }

  get size(): number {
    let size = this.#pooled.size
    for (const tunnel of this.#byTunnel.values()) if (!tunnel.pool) size += 1
    return size
  }

  /** Takes the tunnel's names. Answers the sessions that held them, which are to be ended, or `fenced` when they are newer. */
  open(tunnel: TunnelSession): TunnelSession[] | 'fenced' {
    const { tunnelId, epoch, pooling } = tunnel.claims
    const before = this.#byTunnel.get(tunnelId)
    if (before && before.claims.epoch > epoch) return 'fenced'
    const joined = pooling && before?.claims.epoch === epoch ? before.pool : undefined
    // In a pool an agent takes over from the half-open remains of itself alone.
    const isReplaced = ({ agentId }: TunnelSession): boolean =>
      !joined || (agentId !== '' && agentId === tunnel.agentId)
    const replaced = this.allOf(tunnelId).filter(isReplaced)
    for (const one of replaced) this.#leave(one)
    if (this.#limits) tunnel.limits = this.#limits.hold(tunnel.claims)
    if (pooling) {
      const pool = joined ?? new Pool()
      pool.add(tunnel)
      this.#pooled.add(tunnel)
    }
    this.#map(tunnel)
    return replaced
  }

  /** After a renewal the names may be others. */
  remap(tunnel: TunnelSession, claims: AgentTokenClaims): void {
    const held = this.#byTunnel.get(claims.tunnelId)
    if (held !== tunnel && (tunnel.pool === undefined || held?.pool !== tunnel.pool)) return
    this.#unmap(tunnel)
    tunnel.renew(claims)
    this.#map(tunnel)
  }

  /** Once per session. False when the tunnel is still served: by a session that took over before, or by others of its pool. */
  close(tunnel: TunnelSession): boolean {
    this.#limits?.release(tunnel.claims.tunnelId)
    return this.#leave(tunnel)
  }

  #leave(tunnel: TunnelSession): boolean {
    const held = this.#byTunnel.get(tunnel.claims.tunnelId)
    tunnel.pool?.remove(tunnel)
    this.#pooled.delete(tunnel)
    this.#unmap(tunnel)
    if (held !== tunnel) return false
    const next = tunnel.pool?.pick()
    if (next) this.#map(next)
    return next === undefined
  }

  #map(tunnel: TunnelSession): void {
    this.#byTunnel.set(tunnel.claims.tunnelId, tunnel)
    for (const name of namesOf(tunnel.claims)) this.#byName.set(name, tunnel)
  }

  #unmap(tunnel: TunnelSession): void {
    const { claims } = tunnel
    if (this.#byTunnel.get(claims.tunnelId) === tunnel) this.#byTunnel.delete(claims.tunnelId)
    for (const name of namesOf(claims)) {
      if (this.#byName.get(name) === tunnel) this.#byName.delete(name)
    }
  }
}

/** Under which names visitors ask for a tunnel. */
export function namesOf({ endpointHosts, endpointPort, kind }: AgentTokenClaims): string[] {
  if (endpointPort === undefined) return [...endpointHosts]
  return [...endpointHosts, `${kind}:${endpointPort}`]
}

/** Whether a name is that of a port. */
export function isPortName(name = ''): boolean {
  return name.includes(':')
}

/** Whether only a relay that holds the tunnel knows how TLS connections of its hosts begin. */
export function needsOwnHandshake({ kind, policy }: AgentTokenClaims): boolean {
  return kind === 'tls' || policy.visitorCa !== undefined
}

/** Whether the agent gets connections or datagrams as they are. */
export function isRaw({ kind, tlsMode }: AgentTokenClaims): boolean {
  return kind === 'tcp' || kind === 'udp' || tlsMode === 'passthrough'
}
