import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

import type { Datagram, FlowOrigin } from '../datagram.ts'
import { flowIdleMs, streamsMax, unansweredIdleMs } from '../limits.ts'
import type { Session } from '../session.ts'
import type { RawForwarderOptions } from './raw-forwarder.ts'

/** Given to a flow's socket while its upstream's name is looked up. */
const pendingMax = 32
/** Beyond this the upstream's side does not take them fast enough: datagrams are dropped. */
const sendQueueBytesMax = 1_048_576
const sweepMs = 1_000

/** The upstream's side of datagrams: a socket of its own for each flow, so that answers find their visitor. */
export class DatagramForwarder {
  readonly #options: Omit<RawForwarderOptions, 'proxyProtocol'>
  readonly #sessions = new Map<Session, Map<number, Flow>>()
  readonly #sweep: NodeJS.Timeout
  #open = 0
  #total = 0

  constructor(options: Omit<RawForwarderOptions, 'proxyProtocol'>) {
    this.#options = options
    this.#sweep = setInterval(() => this.#expire(performance.now()), sweepMs)
    this.#sweep.unref()
  }

  /** Brings a datagram of the relay to the upstream. */
  receive(session: Session, datagram: Datagram): void {
    const flows = this.#sessions.get(session) ?? new Map<number, Flow>()
    this.#sessions.set(session, flows)
    const flow = flows.get(datagram.flow)
    if (datagram.ended) flow?.close()
    else if (flow) flow.send(datagram.bytes)
    else if (datagram.origin && flows.size < streamsMax) {
      this.#openFlow(session, flows, datagram.flow, datagram.origin).send(datagram.bytes)
    }
  }

  /** The session is over, and its flows with it. */
  forget(session: Session): void {
    for (const flow of this.#sessions.get(session)?.values() ?? []) flow.close()
    this.#sessions.delete(session)
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const session of this.#sessions.keys()) this.forget(session)
  }

  #openFlow(session: Session, flows: Map<number, Flow>, number: number, origin: FlowOrigin): Flow {
    const { host, port } = this.#options.upstream
    const startedAt = Date.now()
    const flow: Flow = new Flow({ host, port }, (bytes) =>
      session.datagram({ flow: number, origin: undefined, ended: false, bytes }),
    )
    flow.onClosed = (code) => {
      flows.delete(number)
      this.#count(-1)
      session.datagram({ flow: number, origin: undefined, ended: true, bytes: none })
      this.#options.onCarried?.({
        visitor: origin.visitor,
        visitorPort: origin.visitorPort,
        startedAt,
        durationMs: Date.now() - startedAt,
        code,
        bytesIn: flow.bytesIn,
        bytesOut: flow.bytesOut,
      })
    }
    flows.set(number, flow)
    this.#total += 1
    this.#count(1)
    return flow
  }

  #count(change: number): void {
    this.#open += change
    this.#options.onStreams?.(this.#open, this.#total)
  }

  #expire(nowMs: number): void {
    for (const flows of this.#sessions.values()) {
      for (const flow of flows.values()) if (flow.isIdle(nowMs)) flow.close()
    }
  }
}

const none = Buffer.alloc(0)

/** One visitor's datagrams at the upstream. */
class Flow {
  readonly #socket: Socket
  #connected = false
  #answered = false
  #closed = false
  #pending: Buffer[] = []
  #usedMs = performance.now()
  onClosed: (code: string) => void = () => undefined
  /** From the visitor, and to it. */
  bytesIn = 0
  bytesOut = 0

  constructor(upstream: { host: string; port: number }, answer: (bytes: Buffer) => void) {
    this.#socket = createSocket(isIPv6(upstream.host) ? 'udp6' : 'udp4')
    this.#socket.on('message', (bytes: Buffer) => {
      this.#answered = true
      this.#usedMs = performance.now()
      this.bytesOut += bytes.length
      answer(bytes)
    })
    // A connected socket hears that nobody listens at the upstream's port.
    this.#socket.on('error', () => this.close('SLUICE_UPSTREAM_REFUSED'))
    this.#socket.connect(upstream.port, upstream.host, () => {
      this.#connected = true
      for (const bytes of this.#pending.splice(0)) this.#send(bytes)
    })
  }

  send(bytes: Buffer): void {
    this.#usedMs = performance.now()
    this.bytesIn += bytes.length
    if (this.#connected) this.#send(bytes)
    else if (this.#pending.length < pendingMax) this.#pending.push(bytes)
  }

  isIdle(nowMs: number): boolean {
    return nowMs - this.#usedMs > (this.#answered ? flowIdleMs : unansweredIdleMs)
  }

  close(code = ''): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    this.onClosed(code)
  }

  #send(bytes: Buffer): void {
    if (this.#closed || this.#socket.getSendQueueSize() > sendQueueBytesMax) return
    // A failure concerns this datagram alone, unless it comes as 'error' as well.
    this.#socket.send(bytes, () => undefined)
  }
}
