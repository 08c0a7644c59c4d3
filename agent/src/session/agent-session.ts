import { EventEmitter } from 'node:events'

import { SluiceError } from '@sluice/schema/errors'
import {
  DirectSockets,
  Forwarder,
  RawForwarder,
  Redial,
  openSocketLink,
  type Exchanged,
  type ForwarderOptions,
  type ProxyProtocolVersion,
  type Refusal,
  type Session,
  type SessionEvents,
  type UpstreamAddress,
} from '@sluice/wire'

import { networkReasonOf } from '../http-request.ts'
import type { ProxyOf } from '../proxy.ts'
import { ComeBack } from './come-back.ts'
import { dial } from './dial.ts'
import { Edges, type Edge } from './edges.ts'
import {
  connectionOf,
  requestOf,
  type ForwardedConnection,
  type ForwardedRequest,
} from './forwarded.ts'
import { errorOf, isPassing } from './refusal.ts'
import { roundTripAnswer } from './round-trip.ts'

export interface AgentSessionOptions {
  /** Relays to dial (`ws://…/_sluice/session`), in order of preference. */
  readonly edges: readonly Edge[]
  /**
   * Called on every connect and, for renewal, before the agent token expires. `expiredWillDo`: in an outage of the
   * control plane a relay takes its own session back with the token it had; it refuses where it must not. `fresh`:
   * nothing but a token that is minted from now on will do.
   */
  readonly agentToken: (need: TokenNeed) => Promise<string>
  readonly upstream: UpstreamAddress
  /** `preserve` forwards the visitor's Host, `rewrite` sends the upstream's own, anything else is sent as it is. */
  readonly hostHeader: string
  readonly agentVersion: string
  /** A tunnel of TCP, UDP, or TLS that passes through: bytes instead of requests. */
  readonly raw?: RawOptions | undefined
  /** Of an HTTP tunnel. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined
  /** PEM certificates to trust for `wss:` edges, instead of the system's. */
  readonly ca?: string
  readonly proxyOf?: ProxyOf | undefined
  /** What listens to exchanges. */
  readonly tap?: ForwarderOptions['tap']
  /** Accepts any certificate of the relay: for development only. */
  readonly allowSelfSigned?: boolean
  readonly log?: (message: string, fields: Record<string, unknown>) => void
  /** For how long another token is asked for where the one before was revoked. */
  readonly comeBackMs?: number
}

export interface RawOptions {
  /** Tells the upstream who the visitor is, before all other bytes. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined
}

export interface TokenNeed {
  readonly expiredWillDo: boolean
  readonly fresh?: boolean
}

/** Where requests go, and with which Host. */
type Target = Pick<AgentSessionOptions, 'upstream' | 'hostHeader'>

export interface AgentSessionEvents {
  online: [{ relayUrl: string; sessionId: string; reconnected: boolean }]
  offline: [{ reason: string; retryInMs: number }]
  latency: [{ ms: number }]
  connections: [{ open: number; total: number }]
  request: [ForwardedRequest]
  connection: [ForwardedConnection]
  fatal: [SluiceError]
}

const renewRetryMs = 5_000
/** Raw streams and datagrams came with this version of the protocol. */
const rawVersion = 2
/** How long a relay that is leaving goes on to send visitors here, until all relays know of the next session. */
const handOverMs = 2_000
/** Starts to dial at once. Listen to `fatal`: after it nothing more happens. */
export function openAgentSession(options: AgentSessionOptions): AgentSession {
  return new AgentSession(options)
}

/** An agent's session with a relay, kept up across losses until `close` or a fatal refusal. */
export class AgentSession extends EventEmitter<AgentSessionEvents> {
  readonly #options: AgentSessionOptions
  /** The short way to plain TCP, for links and upstreams. */
  readonly #sockets = new DirectSockets()
  #forwarder: Forwarder | RawForwarder
  /** Forwarders of earlier targets: they only finish what they have. */
  readonly #retired = new Set<Forwarder | RawForwarder>()
  #streamsBefore = 0
  #streams = 0
  readonly #redial: Redial
  readonly #stopped = new AbortController()
  readonly #nonces = new Set<string>()
  #current: Session | undefined
  /** Sessions whose relay is going away: they only finish what they have. */
  readonly #draining = new Set<Session>()
  /** The relay wants a token that is valid. */
  #tokenRefused = false
  readonly #comeBack: ComeBack
  #target: Target
  #renewing = false
  /** Another change has come while a token was on its way, which may not hold it. */
  #renewAgain = false
  readonly #edges: Edges
  /** In a pool the relay tells by it whose remains an older session is. */
  readonly #id = `agent:${crypto.randomUUID()}`
  #renewTimer: NodeJS.Timeout | undefined

  constructor(options: AgentSessionOptions) {
    super()
    this.#options = options
    this.#target = options
    this.#edges = new Edges(options.edges, options)
    this.#forwarder = this.#createForwarder(options)
    this.#comeBack = new ComeBack(options.comeBackMs)
    const io = { setTimer, random: Math.random }
    this.#redial = new Redial(io, () => void this.#connect())
    this.#redial.again()
  }

  #createForwarder({ upstream, hostHeader }: Target): Forwarder | RawForwarder {
    const { tap, raw, proxyProtocol } = this.#options
    if (raw) {
      const rawForwarder: RawForwarder = new RawForwarder({
        upstream,
        proxyProtocol: raw.proxyProtocol,
        sockets: this.#sockets,
        checks: this.#nonces,
        onCarried: (carried) => this.emit('connection', connectionOf(carried)),
        onStreams: (_open, total) => this.#onStreams(rawForwarder, total),
      })
      return rawForwarder
    }
    const forwarder: Forwarder = new Forwarder({
      upstream,
      hostHeader,
      proxyProtocol,
      tap,
      sockets: this.#sockets,
      answer: (payload, headStart) =>
        this.#nonces.size > 0 ? roundTripAnswer(this.#nonces, payload, headStart) : undefined,
      onExchanged: (exchanged) => this.#onExchanged(exchanged),
      onStreams: (_open, total) => this.#onStreams(forwarder, total),
    })
    return forwarder
  }

  /** New streams go to another target; those in flight finish where they are. */
  retarget(target: Target): void {
    this.#target = target
    const old = this.#forwarder
    this.#streamsBefore += this.#streams
    this.#streams = 0
    this.#forwarder = this.#createForwarder(target)
    if (old.openStreams > 0) this.#retired.add(old)
    else old.close()
  }

  /** New streams get another Host; where they go stays. */
  rehost(hostHeader: string): void {
    this.retarget({ upstream: this.#target.upstream, hostHeader })
  }

  /** Asks for a new agent token now: what it holds has changed. Several changes at once are one renewal or two. */
  renew(): void {
    if (!this.#current) return
    if (this.#renewing) {
      this.#renewAgain = true
      return
    }
    clearTimeout(this.#renewTimer)
    void this.#renew(this.#current, true)
  }

  /** Relays that the server names from now on. The session that is open stays where it is. */
  offerEdges(edges: readonly Edge[]): void {
    this.#edges.offer(edges)
  }

  /** Lets the agent answer `GET /.well-known/sluice-verify/<nonce>` itself, or raw bytes with it, for this nonce only. */
  expectRoundTrip(nonce: string): void {
    this.#nonces.add(nonce)
  }

  /** The check is over: on a raw tunnel visitors are not held up for it any more. */
  forgetRoundTrip(nonce: string): void {
    this.#nonces.delete(nonce)
  }

  /** Takes no new streams, lets those in flight finish for `graceMs`, then closes. */
  async close({ graceMs }: { graceMs: number }): Promise<void> {
    const sessions = [...this.#draining, ...(this.#current ? [this.#current] : [])]
    this.#stop()
    for (const session of sessions) session.goAway({ reason: 'the agent is closing', graceMs })
    const until = performance.now() + graceMs
    while (
      sessions.some((one) => !one.closed && one.streamCount > 0) &&
      performance.now() < until
    ) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(25, graceMs)))
    }
    for (const session of sessions) session.close()
    this.#closeForwarders()
  }

  #closeForwarders(): void {
    for (const forwarder of [this.#forwarder, ...this.#retired]) forwarder.close()
    this.#retired.clear()
  }

  /** Ends all attempts; sessions are left to the caller. */
  #stop(): void {
    this.#stopped.abort()
    this.#current = undefined
    clearTimeout(this.#renewTimer)
    this.#redial.stop()
  }

  #retry(reason: string): void {
    if (this.#stopped.signal.aborted) return
    clearTimeout(this.#renewTimer)
    const retryInMs = this.#redial.again(this.#comeBack.retryInMs())
    // While a relay that leaves still serves, nobody misses the next session.
    const isServed = [...this.#draining].some(({ closed }) => !closed)
    if (!isServed) {
      this.#log('the session is offline', { reason, retryInMs })
      this.emit('offline', { reason, retryInMs })
    }
  }

  async #connect(): Promise<void> {
    const { agentToken, agentVersion } = this.#options
    try {
      const fresh = this.#comeBack.needsFresh
      const token = await agentToken({ expiredWillDo: !this.#tokenRefused && !fresh, fresh })
      // With the token may have come news of the relays.
      const relayUrl = await this.#edges.take(this.#stopped.signal)
      const { socket, first } = await dial(relayUrl, this.#options, this.#stopped.signal)
      this.#openSession(relayUrl, socket, first).hello(token, agentVersion, [this.#id])
    } catch (error) {
      if (this.#isFatal(error)) return
      this.#edges.pass()
      this.#retry(networkReasonOf(error))
    }
  }

  #openSession(relayUrl: string, socket: Parameters<typeof openSocketLink>[1], first: Buffer) {
    let refusal: Refusal | undefined
    let sessionId = ''
    const events: SessionEvents = {
      onWelcome: (welcome) => {
        sessionId = welcome.sessionId
        if (this.#options.raw && welcome.version < rawVersion) {
          session.close()
          this.#isFatal(
            new SluiceError('SLUICE_PROTOCOL_UNSUPPORTED', { supported: welcome.version }),
          )
          return
        }
        this.#current = session
        this.#tokenRefused = false
        this.#comeBack.succeeded()
        this.#scheduleRenewal(session, welcome.expiresInMs)
        const reconnected = this.#redial.online()
        this.#log('the session is online', { relayUrl, sessionId, reconnected })
        this.emit('online', { relayUrl, sessionId, reconnected })
        this.#leaveDraining()
      },
      onPolicy: (policy) => this.#scheduleRenewal(session, policy.expiresInMs),
      onRenew: () => {
        if (this.#current === session) this.renew()
      },
      onLatency: (ms) => this.emit('latency', { ms }),
      onRefused: (given) => {
        refusal = given
        this.#tokenRefused = given.code === 'SLUICE_AGENT_TOKEN_INVALID'
      },
      onGoAway: ({ reason }) => {
        this.#draining.add(session)
        if (this.#current !== session) return
        this.#current = undefined
        this.#edges.pass()
        this.#retry(reason)
      },
      onOpen: (stream, payload, ended) => this.#forwarder.open(stream, payload, ended),
      onDatagram: (datagram) => {
        if (this.#forwarder instanceof RawForwarder) this.#forwarder.receive(session, datagram)
      },
      onClose: (reason) => {
        for (const forwarder of [this.#forwarder, ...this.#retired]) {
          if (forwarder instanceof RawForwarder) forwarder.forget(session)
        }
        // The one that was left behind: whatever became of it, the session is elsewhere, or about to be.
        if (this.#draining.delete(session)) return
        if (refusal && !this.#comeBack.mayAfter(refusal) && this.#isFatal(errorOf(refusal))) return
        if (sessionId !== '' && this.#current !== session) return
        this.#current = undefined
        if (sessionId === '') this.#edges.pass()
        this.#retry(refusal?.code ?? reason)
      },
    }
    const { session } = openSocketLink('agent', socket, first, events, { sockets: this.#sockets })
    return session
  }

  /** The next session is open: relays that are leaving need send nothing new, once all know. */
  #leaveDraining(): void {
    for (const session of this.#draining) {
      const timer = setTimeout(() => {
        session.goAway({ reason: 'the agent has moved', graceMs: 0 })
      }, handOverMs)
      timer.unref()
    }
  }

  #scheduleRenewal(session: Session, expiresInMs: number): void {
    clearTimeout(this.#renewTimer)
    const delayMs = Math.max(renewRetryMs, Math.min(expiresInMs - 60_000, expiresInMs * 0.6))
    this.#renewTimer = setTimeout(
      () => void this.#renew(session),
      Math.min(delayMs, expiresInMs / 2),
    )
  }

  async #renew(session: Session, fresh = false): Promise<void> {
    this.#renewing = true
    try {
      const token = await this.#options.agentToken({ expiredWillDo: false, fresh })
      if (this.#current === session) session.renewToken(token)
    } catch (error) {
      if (this.#isFatal(error)) {
        session.close()
        return
      }
      this.#log('the agent token was not renewed', { error: String(error) })
      if (this.#current !== session) return
      this.#renewTimer = setTimeout(() => void this.#renew(session, fresh), renewRetryMs)
    } finally {
      this.#renewing = false
      const again = this.#renewAgain
      this.#renewAgain = false
      if (again) this.renew()
    }
  }

  /** Reports a refusal that ends everything. The control plane being away is not one. */
  #isFatal(error: unknown): boolean {
    if (!(error instanceof SluiceError) || isPassing(error)) return false
    if (this.#stopped.signal.aborted) return true
    this.#stop()
    this.#closeForwarders()
    this.emit('fatal', error)
    return true
  }

  #onStreams(forwarder: Forwarder | RawForwarder, total: number): void {
    if (forwarder === this.#forwarder) this.#streams = total
    else if (forwarder.openStreams === 0 && this.#retired.delete(forwarder)) forwarder.close()
    // Twice per request, and mostly nobody listens.
    if (this.listenerCount('connections') === 0) return
    let open = this.#forwarder.openStreams
    for (const retired of this.#retired) open += retired.openStreams
    this.emit('connections', { open, total: this.#streamsBefore + this.#streams })
  }

  #onExchanged(exchanged: Exchanged): void {
    if (this.listenerCount('request') > 0) this.emit('request', requestOf(exchanged))
  }

  #log(message: string, fields: Record<string, unknown>): void {
    this.#options.log?.(message, fields)
  }
}

function setTimer(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs)
  return () => clearTimeout(timer)
}
