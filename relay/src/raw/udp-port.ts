import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

import { flowIdleMs, unansweredIdleMs, type Datagram, type FlowOrigin } from '@sluice/wire'

import { allowsAddress } from '../policy/policy.ts'
import { addressDenied } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
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
}

/** The listener of one `udp` tunnel. It outlives the sessions of its agent, as its flows do. */
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
  #lastNumber = 0

  constructor(options: UdpPortOptions) {
    this.#options = options
    const { host, reusePort = false } = options.context
    this.#socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reusePort })
    this.#socket.on('message', (bytes, from) => this.#receive(bytes, from))
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
    if (this.#socket.getSendQueueSize() > sendQueueBytesMax) this.#drop('visitor-slow')
    else if (!flow.source.mayReply(bytes.length, nowMs)) this.#drop('amplification')
    else if (this.#mayPass(tunnel, bytes.length)) {
      flow.countOut(bytes.length)
      this.#socket.send(bytes, flow.origin.visitorPort, flow.address, () => undefined)
    }
  }

  /** The tunnel's policy has changed: flows do not begin anew as connections do, so those that go on are held to it too. */
  enforce(tunnel: TunnelSession): void {
    for (const flow of this.#byVisitor.values()) if (flow.tunnel === tunnel) this.#ifAllowed(flow)
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const flow of this.#byVisitor.values()) this.#forget(flow)
    this.#socket.close()
  }

  #receive(bytes: Buffer, { address, port }: RemoteInfo): void {
    const flow = this.#flowOf(address, port)
    if (!flow) return
    const { tunnel, source, number } = flow
    flow.usedMs = performance.now()
    source.received(bytes.length)
    if (!this.#mayPass(tunnel, bytes.length)) return
    flow.countIn(bytes.length)
    const origin = flow.answered ? undefined : flow.origin
    tunnel.session.datagram({ flow: number, origin, ended: false, bytes })
  }

  /** The source's flow at a session that lives; undefined when it may have none. */
  #flowOf(address: string, visitorPort: number): Flow | undefined {
    const known = this.#byVisitor.get(`${address}:${visitorPort}`)
    if (known && !known.tunnel.session.closed) return known
    const tunnel = this.#options.context.find(`udp:${this.#options.port}`)
    if (!tunnel || tunnel.session.closed) {
      this.#drop('offline')
      return undefined
    }
    if (!known) return this.#open(tunnel, address, visitorPort)
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

  #open(tunnel: TunnelSession, address: string, visitorPort: number): Flow | undefined {
    const { context, port: endpointPort } = this.#options
    const visitor = unmapped(address)
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
    const origin = { visitor, visitorPort, endpointPort }
    const source = new ReplySource(this.#budget)
    const flow = new Flow(this.#lastNumber, address, origin, tunnel, source)
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

/** One visitor's address and port. */
class Flow {
  readonly number: number
  /** As the socket knows it. */
  readonly address: string
  readonly origin: FlowOrigin
  readonly source: ReplySource
  tunnel: TunnelSession
  readonly startedAt = Date.now()
  readonly startedMs = performance.now()
  usedMs = 0
  /** The agent of this session has answered, so it knows the flow. */
  answered = false
  bytesIn = 0
  bytesOut = 0

  constructor(
    number: number,
    address: string,
    origin: FlowOrigin,
    tunnel: TunnelSession,
    source: ReplySource,
  ) {
    this.number = number
    this.address = address
    this.origin = origin
    this.tunnel = tunnel
    this.source = source
  }

  get key(): string {
    return `${this.address}:${this.origin.visitorPort}`
  }

  countIn(bytes: number): void {
    this.bytesIn += bytes
    this.tunnel.bytesIn += bytes
  }

  countOut(bytes: number): void {
    this.bytesOut += bytes
    this.tunnel.bytesOut += bytes
  }
}
