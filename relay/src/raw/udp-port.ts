import { createSocket, type Socket } from 'node:dgram'
import { isIPv6, type Socket as TcpSocket } from 'node:net'

import { flowIdleMs, unansweredIdleMs, type Datagram } from '@sluice/wire'

import { allowsAddress } from '../policy/policy.ts'
import { addressDenied } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import { DatagramLink, type ReplyWay, type Source } from './datagram-link.ts'
import { DatagramWay, type DatagramWayOptions } from './datagram-way.ts'
import { Flow, keyOf } from './flow.ts'
import type { DatagramDropReason, RawContext } from './raw-context.ts'
import { rawRefusalOf } from './raw-refusal.ts'
import { unmapped } from './raw-visit.ts'
import { ReplyBudget, ReplySource } from './reply-budget.ts'

/** Flows of one source address in one tunnel: a household behind one address, not an attacker's ports. */
export const flowsPerSourceMax = 64
const sweepMs = 1_000
/** Beyond this the socket does not get rid of replies fast enough: they are dropped. */
const sendQueueBytesMax = 1_048_576
const none = Buffer.alloc(0)

export interface UdpPortOptions {
  readonly port: number
  readonly context: RawContext
  /** Asks the relay that has the agent for a connection; undefined when none has it now. Absent: there are no other relays. */
  readonly connect?: DatagramWayOptions['connect'] | undefined
}

/**
 * The listener of one `udp` tunnel. It outlives the sessions of its agent, as its flows do. The relay that has the agent keeps
 * the flows, whichever relay their datagrams reach: so limits, policy and usage are counted in one place.
 */
export class UdpPort {
  readonly #options: UdpPortOptions
  readonly #socket: Socket
  readonly #byVisitor = new Map<string, Flow>()
  readonly #byNumber = new Map<number, Flow>()
  /** In the order of their beginning. */
  readonly #unanswered = new Set<Flow>()
  readonly #bySource = new Map<string, number>()
  readonly #budget = new ReplyBudget()
  readonly #sweep: NodeJS.Timeout
  /** To the relay that has the agent, where that is another one. */
  readonly #elsewhere: DatagramWay | undefined
  /** From relays that datagrams for the agent here have reached. */
  readonly #links = new Set<DatagramLink>()
  readonly #here: ReplyWay = { send: (source, bytes) => this.#send(source, bytes) }
  #lastNumber = 0

  constructor(options: UdpPortOptions) {
    this.#options = options
    const { connect, context } = options
    const { host, reusePort = false } = context
    this.#socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reusePort })
    this.#socket.on('message', (bytes, from) => this.#receive(from, bytes, this.#here))
    this.#elsewhere =
      connect &&
      new DatagramWay({
        connect,
        onReply: (source, bytes) => {
          if (!this.#send(source, bytes)) this.#drop('visitor-slow')
        },
        onDropped: (reason) => this.#drop(reason),
      })
    this.#sweep = setInterval(() => this.#expire(performance.now()), sweepMs)
  }

  listen(): Promise<void> {
    const { port, context } = this.#options
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.bind({ port, address: context.host, exclusive: true }, () => {
        this.#socket.off('error', reject)
        // What one datagram met on its way concerns it alone.
        this.#socket.on('error', () => undefined)
        resolve()
      })
    })
  }

  get flows(): number {
    return this.#byVisitor.size
  }

  /** There is an agent, here or elsewhere. */
  online(): void {
    this.#elsewhere?.retry()
  }

  /** Another relay has the agent now. */
  moved(): void {
    this.#elsewhere?.renew()
  }

  /** Another relay's connection, for datagrams that have reached it there. */
  acceptPeer(socket: TcpSocket): void {
    const link: DatagramLink = new DatagramLink(socket, false, {
      onDatagram: (source, bytes) => this.#receive(source, bytes, link),
      onClose: () => this.#links.delete(link),
    })
    this.#links.add(link)
  }

  /** A reply of the agent. */
  reply(tunnel: TunnelSession, { flow: number, ended, bytes }: Datagram): void {
    const flow = this.#byNumber.get(number)
    if (!flow || flow.tunnel !== tunnel) return
    if (ended) {
      this.#forget(flow)
      return
    }
    const nowMs = performance.now()
    flow.usedMs = nowMs
    flow.answered = true
    this.#unanswered.delete(flow)
    if (!flow.source.mayReply(bytes.length, nowMs)) this.#drop('amplification')
    else if (this.#mayPass(tunnel, bytes.length)) {
      if (flow.way.send(flow.visitor, bytes)) flow.countOut(bytes.length)
      else this.#drop('visitor-slow')
    }
  }

  /** The tunnel's policy has changed: flows do not begin anew as connections do, so those that go on are held to it too. */
  enforce(tunnel: TunnelSession): void {
    for (const flow of this.#byVisitor.values()) if (flow.tunnel === tunnel) this.#ifAllowed(flow)
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const flow of this.#byVisitor.values()) this.#forget(flow)
    for (const link of this.#links) link.close()
    this.#elsewhere?.close()
    this.#socket.close()
  }

  #receive(visitor: Source, bytes: Buffer, way: ReplyWay): void {
    const session = this.#sessionFor(visitor)
    if (!session) {
      this.#pass(visitor, bytes, way)
      return
    }
    const flow = this.#flowOf(visitor, way, session)
    if (!flow) return
    const { tunnel, source, number } = flow
    flow.usedMs = performance.now()
    source.received(bytes.length)
    if (!this.#mayPass(tunnel, bytes.length)) return
    flow.countIn(bytes.length)
    const origin = flow.answered ? undefined : flow.origin
    tunnel.session.datagram({ flow: number, origin, ended: false, bytes })
  }

  /** The session that a datagram goes to: that of its flow, or the one for new flows. Undefined when there is none here. */
  #sessionFor(visitor: Source): TunnelSession | undefined {
    const known = this.#byVisitor.get(keyOf(visitor))?.tunnel
    if (known && this.#isHere(known)) return known
    const tunnel = this.#options.context.find(`udp:${this.#options.port}`)
    return tunnel && this.#isHere(tunnel) ? tunnel : undefined
  }

  #isHere({ session, moved }: TunnelSession): boolean {
    return !session.closed && !(moved && this.#elsewhere)
  }

  /** Brings a datagram to the relay that has the agent. One that another relay has brought is not sent on once more. */
  #pass(visitor: Source, bytes: Buffer, way: ReplyWay): void {
    const before = this.#byVisitor.get(keyOf(visitor))
    if (before) this.#end(before)
    if (way instanceof DatagramLink) {
      way.close()
      this.#drop('offline')
    } else if (this.#elsewhere) this.#elsewhere.send(visitor, bytes)
    else this.#drop('offline')
  }

  /** The source's flow at this session; undefined when it may have none. */
  #flowOf(visitor: Source, way: ReplyWay, tunnel: TunnelSession): Flow | undefined {
    const known = this.#byVisitor.get(keyOf(visitor))
    if (!known) return this.#open(tunnel, visitor, way)
    known.way = way
    if (known.tunnel === tunnel) return known
    this.#move(known, tunnel)
    return this.#ifAllowed(known)
  }

  #ifAllowed(flow: Flow): Flow | undefined {
    const { tunnel, origin } = flow
    if (allowsAddress(tunnel.policy, origin.visitor)) return flow
    this.#options.context.rejected({ ...addressDenied, tunnel })
    this.#drop('denied')
    this.#end(flow)
    return undefined
  }

  #open(tunnel: TunnelSession, from: Source, way: ReplyWay): Flow | undefined {
    const { context, port: endpointPort } = this.#options
    const visitor = unmapped(from.address)
    const refusal = rawRefusalOf(tunnel, visitor, context.draining())
    const code = refusal?.code
    if (refusal && code !== 'SLUICE_CONNECTIONS_MAX') {
      context.rejected({ ...refusal, tunnel })
      this.#drop(code === 'SLUICE_IP_DENIED' ? 'denied' : 'offline')
      return undefined
    }
    const ofSource = this.#bySource.get(visitor) ?? 0
    const full = code !== undefined || this.#byVisitor.size >= context.connectionsMax
    if (ofSource >= flowsPerSourceMax || (full && !this.#makeRoom())) {
      this.#drop('flows')
      return undefined
    }
    this.#lastNumber = (this.#lastNumber + 1) >>> 0
    const origin = { visitor, visitorPort: from.port, endpointPort }
    const source = new ReplySource(this.#budget)
    const flow = new Flow(this.#lastNumber, from, way, origin, tunnel, source)
    tunnel.active += 1
    tunnel.requests += 1
    tunnel.limits.rate?.take()
    this.#bySource.set(visitor, ofSource + 1)
    this.#byVisitor.set(flow.key, flow)
    this.#byNumber.set(flow.number, flow)
    this.#unanswered.add(flow)
    return flow
  }

  /** The oldest flow that nobody answered gives way: floods of made-up sources consist of such. */
  #makeRoom(): boolean {
    const [oldest] = this.#unanswered
    if (oldest) this.#end(oldest)
    return oldest !== undefined
  }

  /** A newer session serves the tunnel: its agent has not heard of the flow. */
  #move(flow: Flow, tunnel: TunnelSession): void {
    flow.tunnel.active -= 1
    tunnel.active += 1
    flow.tunnel = tunnel
    flow.answered = false
    this.#unanswered.add(flow)
  }

  #expire(nowMs: number): void {
    this.#elsewhere?.sweep(nowMs)
    for (const link of this.#links) link.sweep(nowMs)
    for (const flow of this.#byVisitor.values()) {
      if (nowMs - flow.usedMs > (flow.answered ? flowIdleMs : unansweredIdleMs)) this.#end(flow)
    }
  }

  #end(flow: Flow): void {
    const { number, tunnel } = flow
    tunnel.session.datagram({ flow: number, origin: undefined, ended: true, bytes: none })
    this.#forget(flow)
  }

  #forget(flow: Flow): void {
    const { visitor } = flow.origin
    this.#byVisitor.delete(flow.key)
    this.#byNumber.delete(flow.number)
    this.#unanswered.delete(flow)
    const left = (this.#bySource.get(visitor) ?? 1) - 1
    if (left > 0) this.#bySource.set(visitor, left)
    else this.#bySource.delete(visitor)
    flow.tunnel.active -= 1
    this.#options.context.observe({
      tunnel: flow.tunnel,
      protocol: 'UDP',
      code: undefined,
      visitorIp: visitor,
      endpoint: `:${this.#options.port}`,
      startedAt: flow.startedAt,
      durationMs: performance.now() - flow.startedMs,
      bytesIn: flow.bytesIn,
      bytesOut: flow.bytesOut,
    })
  }

  /** Sends from the public port. False: the socket does not get rid of replies fast enough. */
  #send({ address, port }: Source, bytes: Buffer): boolean {
    if (this.#socket.getSendQueueSize() > sendQueueBytesMax) return false
    this.#socket.send(bytes, port, address, () => undefined)
    return true
  }

  /** Datagrams over the tunnel's bandwidth are dropped: waiting would make them worthless. */
  #mayPass({ limits: { bandwidth } }: TunnelSession, bytes: number): boolean {
    if (bandwidth && !bandwidth.open) {
      this.#drop('bandwidth')
      return false
    }
    bandwidth?.spend(bytes)
    return true
  }

  #drop(reason: DatagramDropReason): void {
    this.#options.context.onDatagramDropped(reason)
  }
}
