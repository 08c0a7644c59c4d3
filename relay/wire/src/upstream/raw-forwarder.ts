import type { Socket } from 'node:net'

import type { Datagram } from '../datagram.ts'
import { parseRawOpening, type RawOpening } from '../open-head.ts'
import type { Session } from '../session.ts'
import { DirectSockets } from '../socket/direct-socket.ts'
import { Splice, type Spliced } from '../splice.ts'
import type { TunnelStream } from '../stream.ts'
import { ProtocolViolation } from '../violation.ts'
import { DatagramForwarder } from './datagram-forwarder.ts'
import { dial, type UpstreamAddress } from './forwarder.ts'
import { HeldStream, type Heard } from './held-stream.ts'
import { proxyHeader, type ProxyProtocolVersion } from './proxy-protocol.ts'

/** One connection or flow as it ended. */
export interface Carried extends Omit<Spliced, 'details'> {
  readonly visitor: string
  readonly visitorPort: number
  readonly startedAt: number
  readonly durationMs: number
}

export interface RawForwarderOptions {
  readonly upstream: UpstreamAddress
  /** Tells the upstream who the visitor is, before all other bytes. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined
  /** The agent's own checks under way, by nonce: who says one gets it back, and never reaches the upstream. */
  readonly checks?: ReadonlySet<string>
  /** Shared with the other sockets of the process. */
  readonly sockets?: DirectSockets | undefined
  readonly onCarried?: (carried: Carried) => void
  readonly onStreams?: (open: number, total: number) => void
}

const connectTimeoutMs = 10_000
const keepAliveMs = 30_000

/** The upstream's side of tunnels without HTTP: a TCP connection for each stream, a UDP socket for each flow. */
export class RawForwarder {
  readonly #options: RawForwarderOptions
  readonly #open = new Set<Splice>()
  readonly #sockets: DirectSockets
  readonly #datagrams: DatagramForwarder
  #flows = 0
  #total = 0

  constructor(options: RawForwarderOptions) {
    this.#options = options
    this.#sockets = options.sockets ?? new DirectSockets()
    this.#datagrams = new DatagramForwarder(options, (open, opened) => {
      this.#flows = open
      this.#count(opened)
    })
  }

  /** Connections and flows now. */
  get openStreams(): number {
    return this.#open.size + this.#flows
  }

  /** Takes over a stream that the relay opened. */
  open(stream: TunnelStream, payload: Buffer, ended: boolean): void {
    const opening = parseRawOpening(payload)
    if (!opening) throw new ProtocolViolation('an OPEN with a head on a raw tunnel')
    const { checks } = this.#options
    if (checks && checks.size > 0 && !ended) {
      stream.events = new HeldStream(stream, checks, (heard) =>
        this.#connect(stream, opening, heard),
      )
    } else this.#connect(stream, opening, { pieces: [], ended })
  }

  /** Brings a datagram of the relay to the upstream. */
  receive(session: Session, datagram: Datagram): void {
    const { checks } = this.#options
    const { flow, bytes } = datagram
    if (checks && checks.size > 0 && checks.has(bytes.toString('latin1'))) {
      session.datagram({ flow, origin: undefined, ended: false, bytes })
    } else this.#datagrams.receive(session, datagram)
  }

  /** The session is over, and its flows with it. */
  forget(session: Session): void {
    this.#datagrams.forget(session)
  }

  close(): void {
    for (const splice of this.#open) splice.reset()
    this.#datagrams.close()
  }

  #connect(stream: TunnelStream, opening: RawOpening, { pieces, ended }: Heard): void {
    const { upstream, proxyProtocol } = this.#options
    const startedAt = Date.now()
    const startedMs = performance.now()
    const preface = proxyProtocol && proxyHeader(proxyProtocol, opening)
    const socket = dial(upstream, preface)
    socket.setKeepAlive(true, keepAliveMs)
    const splice = new Splice(socket, this.#sockets, (spliced) => {
      this.#open.delete(splice)
      this.#report(opening, spliced, startedAt, performance.now() - startedMs)
    })
    this.#open.add(splice)
    this.#count(true)
    stream.events = splice
    failUnlessConnected(socket, splice, upstream)
    splice.start(stream)
    for (const piece of pieces) splice.onData(piece, false)
    if (ended) splice.onEnd()
  }

  #count(opened: boolean): void {
    if (opened) this.#total += 1
    this.#options.onStreams?.(this.openStreams, this.#total)
  }

  #report(opening: RawOpening, spliced: Spliced, startedAt: number, durationMs: number): void {
    this.#count(false)
    this.#options.onCarried?.({
      visitor: opening.visitor,
      visitorPort: opening.visitorPort,
      startedAt,
      durationMs,
      code: spliced.code,
      // Seen from the visitor: what came in for the upstream, what went out to the visitor.
      bytesIn: spliced.bytesOut,
      bytesOut: spliced.bytesIn,
    })
  }
}

/** Says by a code why nobody was reached. Once connected, errors are resets and pass as such. */
function failUnlessConnected(
  socket: Socket,
  splice: Splice,
  { host, port }: UpstreamAddress,
): void {
  const upstream = `${host}:${port}`
  const timer = setTimeout(() => {
    splice.reset('SLUICE_UPSTREAM_TIMEOUT', { seconds: connectTimeoutMs / 1000 })
  }, connectTimeoutMs)
  const onError = (error: NodeJS.ErrnoException): void => {
    splice.reset('SLUICE_UPSTREAM_REFUSED', { upstream, reason: error.code ?? error.message })
  }
  socket.once('error', onError)
  socket.once('connect', () => {
    clearTimeout(timer)
    socket.off('error', onError)
  })
  socket.once('close', () => clearTimeout(timer))
}
