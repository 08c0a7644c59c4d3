import type { Socket } from 'node:net'

import { isForgery } from '@sluice/kit/forgeries'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { SluiceError, type Details, type ErrorCode } from '@sluice/schema/errors'
import type { Revocation } from '@sluice/schema/redis'
import {
  closeCode,
  openSocketLink,
  protocolVersions,
  sharedVersion,
  type Datagram,
  type DirectSocket,
  type DirectSockets,
  type Hello,
  type SessionEvents,
} from '@sluice/wire'
import { LRUCache } from 'lru-cache'

import { TunnelSession, isRaw, namesOf, type Sessions } from '../sessions.ts'
import type { SuspendedHosts } from '../suspended-hosts.ts'
import type { AgentTokens } from './agent-token.ts'
import { closeCodeOf } from './close-code-of.ts'
import { Greetings } from './greetings.ts'
import { handshakeAnswer, readHandshake } from './handshake.ts'
import { newLink, type Link } from './link.ts'
import type { Outage } from './outage.ts'
import { isRevoked, Revoked } from './revoked.ts'

export interface AgentsOptions {
  readonly relayId: string
  readonly sessions: Sessions
  readonly tokens: AgentTokens
  readonly outage: Outage
  readonly suspendedHosts: SuspendedHosts
  /** The short way to plain TCP. */
  readonly sockets: DirectSockets
  readonly sessionsMax: number
  readonly draining: () => boolean
  /** After each chunk of a link: what was held for visitors may go. */
  readonly onChunkEnd: () => void
  /** Makes ready what visitors of the tunnel need, such as a port of its own. Throws what the agent is to be told. */
  readonly prepare: (claims: AgentTokenClaims) => Promise<void>
  readonly onDatagram: (tunnel: TunnelSession, datagram: Datagram) => void
  readonly onRefused: (code: ErrorCode) => void
  /** Hears of agent tokens that are signed by nobody we know, and where they came from. */
  readonly onForged: (ip: string) => void
  readonly onOpen: (tunnel: TunnelSession) => void
  /** `held`: the session still had its names, so that the tunnel is offline now. `stopped`: it was ended on purpose. */
  readonly onClose: (tunnel: TunnelSession, held: boolean, reason: string, stopped: boolean) => void
  /** The tunnel has another edge policy now, which holds for what is under way too. */
  readonly onPolicy: (tunnel: TunnelSession) => void
  /** The session goes on although its agent token has expired, because the control plane is away. */
  readonly onGrace: (tunnel: TunnelSession) => void
}

const sessionPath = '/_sluice/session'
/** Tunnels whose epoch elsewhere is remembered. */
const epochsMax = 50_000

/** The control side: takes agents in, verifies them, and ends their sessions when they may serve no longer. */
export class Agents {
  readonly #options: AgentsOptions
  readonly #links = new Set<Link>()
  readonly #greetings = new Greetings()
  readonly #revoked: Revoked
  /** The highest epoch that any relay was heard to serve: a lower one never serves again here. */
  readonly #epochs = new LRUCache<string, number>({ max: epochsMax })
  /** Claims of sessions whose link broke, by tunnel id: in an outage only these may come back with an expired token. */
  readonly #lost = new Map<string, AgentTokenClaims>()

  constructor(options: AgentsOptions) {
    this.#options = options
    this.#revoked = new Revoked(options.outage.limitMs)
  }

  get size(): number {
    return this.#links.size
  }

  /** Why a request for the edge host is no agent's handshake. */
  refusalOf(head: Buffer): ErrorCode | undefined {
    const request = readHandshake(head)
    if (!request || request.path !== sessionPath) return 'SLUICE_TUNNEL_UNKNOWN'
    if (this.#options.draining()) return 'SLUICE_RELAY_DRAINING'
    return this.#full ? 'SLUICE_SESSIONS_MAX' : undefined
  }

  get #full(): boolean {
    return this.#links.size - this.#greetings.size >= this.#options.sessionsMax
  }

  accept(socket: Socket | DirectSocket, head: Buffer, first: Buffer): void {
    socket.write(handshakeAnswer(head))
    const { sockets } = this.#options
    const events: SessionEvents = {
      onHello: (hello) => void this.#onHello(link, hello),
      onToken: (agentToken) => void this.#onToken(link, agentToken),
      onGoAway() {
        link.over = true
      },
      onDatagram: (datagram) => {
        if (link.tunnel) this.#options.onDatagram(link.tunnel, datagram)
      },
      onChunkEnd: this.#options.onChunkEnd,
      onClose: (reason) => this.#onClose(link, reason),
    }
    const { session } = openSocketLink('relay', socket, first, events, { sockets })
    const link = newLink(session, socket.remoteAddress)
    this.#links.add(link)
    this.#greetings.began(session)
  }

  /** Ends what a revocation names. Credentials issued later are not concerned. */
  revoke(revocation: Revocation): void {
    const { kind, id } = revocation
    if (revocation.lifted || kind === 'sign-in' || kind === 'host') return
    const atMs = Date.parse(revocation.at)
    this.#revoked.remember(id, atMs)
    for (const link of this.#links) {
      const claims = link.tunnel?.claims
      if (claims && isRevoked(claims, id, atMs)) this.#refuse(link, 'SLUICE_SESSION_REVOKED')
    }
    for (const claims of this.#lost.values()) {
      if (isRevoked(claims, id, atMs)) this.#lost.delete(claims.tunnelId)
    }
  }

  /** Ends the sessions of tunnels that have a suspended host. */
  endSuspended(): void {
    for (const link of this.#links) {
      if (link.tunnel) this.#refusesSuspended(link, link.tunnel.claims)
    }
  }

  /** Another relay has a newer right to the tunnel: an older epoch ends here, and what is left of the same one takes nothing new. */
  outrank(
    tunnelId: string,
    right: { readonly epoch: number; readonly at: string; readonly pooling: boolean },
  ): void {
    this.#epochs.set(tunnelId, Math.max(right.epoch, this.#epochs.get(tunnelId) ?? 0))
    for (const link of this.#links) {
      const { tunnel } = link
      if (tunnel?.claims.tunnelId !== tunnelId) continue
      const { epoch, pooling } = tunnel.claims
      if (epoch < right.epoch) this.#refuse(link, 'SLUICE_SESSION_REPLACED')
      else if (epoch === right.epoch && !(pooling && right.pooling)) {
        if (tunnel.routeAt !== '' && Number(tunnel.routeAt) < Number(right.at)) tunnel.moved = true
      }
    }
  }

  /** The control plane says that newer starts of their tunnels are served elsewhere. */
  endReplaced(sessionIds: readonly string[]): void {
    const replaced = new Set(sessionIds)
    for (const link of this.#links) {
      if (link.tunnel && replaced.has(link.tunnel.id)) {
        this.#refuse(link, 'SLUICE_SESSION_REPLACED')
      }
    }
  }

  /** The other relay holds the tunnel no longer: what is left of it here serves again. */
  takeBack(tunnelId: string): void {
    for (const tunnel of this.#options.sessions.allOf(tunnelId)) tunnel.moved = false
  }

  /** Has the agents of a tunnel fetch a new token now, for what it holds has changed. Agents of version 1 follow when they renew. */
  renew(tunnelId: string): void {
    for (const { session } of this.#options.sessions.allOf(tunnelId)) session.renew()
  }

  /** The control plane is back: sessions past their token have a moment to renew it. */
  controlPlaneAnswered(): void {
    for (const link of this.#links) if (link.inGrace) this.#onExpiry(link)
  }

  /** Tells all agents to go elsewhere. */
  goAway(graceMs: number): void {
    for (const { session } of this.#links) {
      session.goAway({ reason: 'the relay is shutting down', graceMs })
    }
  }

  streamCount(): number {
    let count = 0
    for (const { session } of this.#links) count += session.streamCount
    return count
  }

  /** Sessions past their agent token. */
  graceCount(): number {
    let count = 0
    for (const { inGrace } of this.#links) if (inGrace) count += 1
    return count
  }

  close(): void {
    for (const { session } of this.#links) session.close(closeCode.drained, 'the relay is closing')
  }

  async #onHello(link: Link, hello: Hello): Promise<void> {
    const { session } = link
    const version = sharedVersion(hello.versions)
    if (version === undefined) {
      this.#refuseVersion(link, protocolVersions)
      return
    }
    const claims = await this.#verify(link, hello.agentToken, this.#options.outage.limitMs)
    if (!claims || session.closed) return
    if (this.#full) {
      this.#refuse(link, 'SLUICE_SESSIONS_MAX')
      return
    }
    this.#greetings.ended(session)
    if (claims.exp * 1000 <= Date.now() && !this.#mayResume(claims)) {
      this.#refuse(link, 'SLUICE_AGENT_TOKEN_INVALID')
      return
    }
    if (version < rawVersion && isRaw(claims)) {
      this.#refuseVersion(
        link,
        protocolVersions.filter((one) => one >= rawVersion),
      )
      return
    }
    if (!(await this.#isPrepared(link, claims)) || session.closed) return
    // A port took a moment to open, and an announcement reaches only sessions that are open.
    if (this.#refusesRevoked(link, claims)) return
    const tunnel = new TunnelSession(crypto.randomUUID(), session, claims, hello.agentVersion)
    tunnel.agentId = hello.features.find((name) => name.startsWith('agent:')) ?? ''
    const replaced = this.#isOutranked(claims) ? 'fenced' : this.#options.sessions.open(tunnel)
    if (replaced === 'fenced') {
      this.#refuse(link, 'SLUICE_SESSION_REPLACED')
      return
    }
    link.tunnel = tunnel
    this.#lost.delete(claims.tunnelId)
    const expiresInMs = this.#scheduleExpiry(link, claims)
    session.welcome(hello, {
      version,
      features: [],
      sessionId: tunnel.id,
      relayId: this.#options.relayId,
      expiresInMs,
      endpointHosts: claims.endpointHosts,
    })
    this.#options.onOpen(tunnel)
    for (const { session: old } of replaced) {
      old.refuse('SLUICE_SESSION_REPLACED', {}, closeCode.replaced)
    }
  }

  async #onToken(link: Link, agentToken: string): Promise<void> {
    const claims = await this.#verify(link, agentToken)
    const { tunnel, session } = link
    if (!claims || !tunnel || session.closed) return
    const { tunnelId, epoch, organizationId, kind, endpointPort } = tunnel.claims
    const same =
      claims.tunnelId === tunnelId &&
      claims.organizationId === organizationId &&
      claims.epoch === epoch &&
      claims.kind === kind &&
      claims.endpointPort === endpointPort
    if (!same) {
      this.#refuse(link, 'SLUICE_AGENT_TOKEN_INVALID')
      return
    }
    const { policy } = tunnel
    this.#options.sessions.remap(tunnel, claims)
    if (tunnel.policy !== policy) this.#options.onPolicy(tunnel)
    const expiresInMs = this.#scheduleExpiry(link, claims)
    session.policy({ expiresInMs, endpointHosts: claims.endpointHosts })
  }

  async #verify(
    link: Link,
    agentToken: string,
    expiredMsMax = 0,
  ): Promise<AgentTokenClaims | undefined> {
    try {
      const claims = await this.#options.tokens.verify(agentToken, expiredMsMax)
      return this.#refusesRevoked(link, claims) ? undefined : claims
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      if (isForgery(error)) this.#options.onForged(link.ip)
      this.#refuse(link, error.code)
      return undefined
    }
  }

  #refusesRevoked(link: Link, claims: AgentTokenClaims): boolean {
    if (!this.#revoked.concerns(claims)) return this.#refusesSuspended(link, claims)
    this.#refuse(link, 'SLUICE_SESSION_REVOKED')
    return true
  }

  #refusesSuspended(link: Link, claims: AgentTokenClaims): boolean {
    const suspended = this.#options.suspendedHosts.among(namesOf(claims))
    if (!suspended) return false
    const { name: endpointHost, reason } = suspended
    this.#refuse(link, 'SLUICE_TUNNEL_SUSPENDED', { endpointHost, reason })
    return true
  }

  #scheduleExpiry(link: Link, claims: AgentTokenClaims): number {
    const expiresInMs = Math.max(0, claims.exp * 1000 - Date.now())
    link.inGrace = false
    this.#expireIn(link, expiresInMs)
    return Math.round(expiresInMs)
  }

  #expireIn(link: Link, delayMs: number): void {
    clearTimeout(link.expiry)
    link.expiry = setTimeout(() => this.#onExpiry(link), delayMs)
  }

  /** Ends the session, unless the control plane's absence excuses it for now. */
  #onExpiry(link: Link): void {
    const { tunnel } = link
    if (!tunnel) return
    const graceMs = this.#graceMs(tunnel.claims)
    if (graceMs <= 0) {
      this.#refuse(link, 'SLUICE_AGENT_TOKEN_INVALID')
      return
    }
    if (!link.inGrace) this.#options.onGrace(tunnel)
    link.inGrace = true
    this.#expireIn(link, graceMs)
  }

  /**
   * Whether an expired token may open a session. In an outage only, and only the very token that the tunnel's session here
   * has, or had when its link broke: that one was valid here, has not been revoked since, and no newer one is known.
   */
  #mayResume(claims: AgentTokenClaims): boolean {
    if (this.#graceMs(claims) <= 0) return false
    const { tunnelId, jti } = claims
    const known = this.#options.sessions.ofTunnel(tunnelId)?.claims ?? this.#lost.get(tunnelId)
    return known?.jti === jti
  }

  /** How long an expired token is excused by an outage. Never one whose authtoken has ended, too. */
  #graceMs({ exp, final }: AgentTokenClaims): number {
    return final ? 0 : this.#options.outage.graceMs(exp * 1000)
  }

  #isOutranked({ tunnelId, epoch }: AgentTokenClaims): boolean {
    return epoch < (this.#epochs.get(tunnelId) ?? 0)
  }

  #onClose(link: Link, reason: string): void {
    this.#links.delete(link)
    this.#greetings.ended(link.session)
    clearTimeout(link.expiry)
    link.inGrace = false
    const { tunnel } = link
    if (!tunnel) return
    const held = this.#options.sessions.close(tunnel)
    if (held && !link.over) this.#rememberLost(tunnel.claims)
    this.#options.onClose(tunnel, held, reason, link.over)
  }

  /** Refuses the agent when what its tunnel needs cannot be had. */
  async #isPrepared(link: Link, claims: AgentTokenClaims): Promise<boolean> {
    try {
      await this.#options.prepare(claims)
      return true
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      this.#refuse(link, error.code, error.details)
      return false
    }
  }

  #refuseVersion(link: Link, supported: readonly number[]): void {
    this.#refuse(link, 'SLUICE_PROTOCOL_UNSUPPORTED', { supported: supported.join(', ') })
  }

  #refuse(link: Link, code: ErrorCode, details: Details = {}): void {
    this.#options.onRefused(code)
    link.over = true
    link.session.refuse(code, details, closeCodeOf(code))
  }

  #rememberLost(claims: AgentTokenClaims): void {
    const { outage, sessionsMax } = this.#options
    if (outage.limitMs === 0) return
    this.#lost.delete(claims.tunnelId)
    this.#lost.set(claims.tunnelId, claims)
    const [oldest] = this.#lost.keys()
    if (this.#lost.size > sessionsMax && oldest !== undefined) this.#lost.delete(oldest)
  }
}

/** Raw streams and datagrams came with this version. */
const rawVersion = 2
