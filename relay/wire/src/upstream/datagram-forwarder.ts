import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { isIPv6 } from 'node:net'

import type { Datagram, FlowOrigin } from '../datagram.ts'
import { flowIdleMs, streamsMax, unansweredIdleMs } from '../limits.ts'
import type { Session } from '../session.ts'
import type { UpstreamAddress } from './forwarder.ts'
import type { RawForwarderOptions } from './raw-forwarder.ts'

/** Given to a flow's socket while its upstream's name is looked up. */
const pendingMax = 32
/** Beyond this the upstream's side does not take them fast enough: datagrams are dropped. */
const sendQueueBytesMax = 1_048_576
const sweepMs = 1_000

/** The upstream's side of datagrams: a socket of its own for each flow, so that answers find their visitor. */
export class DatagramForwarder {
  readonly #options: Pick<RawForwarderOptions, 'upstream' | 'onCarried'>
  readonly #onFlows: (open: number, opened: boolean) => void
  readonly #sessions = new Map<Session, Map<number, Flow>>()
  readonly #sweep: NodeJS.Timeout
  #open = 0

  constructor(
    options: Pick<RawForwarderOptions, 'upstream' | 'onCarried'>,
    onFlows: (open: number, opened: boolean) => void,
  ) {
    this.#options = options
    this.#onFlows = onFlows
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
    const { host, port, lookup } = this.#options.upstream
    const startedAt = Date.now()
    const flow: Flow = new Flow({ host, port, lookup }, (bytes) =>
      session.datagram({ flow: number, origin: undefined, ended: false, bytes }),
    )
    flow.onClosed = (code) => {
      flows.delete(number)
      this.#open -= 1
      this.#onFlows(this.#open, false)
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
    this.#open += 1
    this.#onFlows(this.#open, true)
    return flow
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

  constructor(
    upstream: Pick<UpstreamAddress, 'host' | 'port' | 'lookup'>,
    answer: (bytes: Buffer) => void,
  ) {
    const type = isIPv6(upstream.host) ? 'udp6' : 'udp4'
    this.#socket = createSocket({ type, ...lookupOf(upstream.lookup) })
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

/** A UDP socket asks for one address, and in its own way. */
function lookupOf(lookup: UpstreamAddress['lookup']): Pick<SocketOptions, 'lookup'> {
  if (!lookup) return {}
  return {
    lookup: (host, options, done) =>
      lookup(host, options, (error, address, family) =>
        done(
          error,
          typeof address === 'string' ? address : (address[0]?.address ?? ''),
          family ?? 0,
        ),
      ),
  }
}
