import type { Socket } from 'node:net'

import { parseRawOpening, type RawOpening } from '../open-head.ts'
import { Splice, type Spliced } from '../splice.ts'
import type { TunnelStream } from '../stream.ts'
import { ProtocolViolation } from '../violation.ts'
import { dial, type UpstreamAddress } from './forwarder.ts'
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
  readonly onCarried?: (carried: Carried) => void
  readonly onStreams?: (open: number, total: number) => void
}

const connectTimeoutMs = 10_000
const keepAliveMs = 30_000

/** The upstream's side of raw streams: a TCP connection for each. */
export class RawForwarder {
  readonly #options: RawForwarderOptions
  readonly #open = new Set<Splice>()
  #total = 0

  constructor(options: RawForwarderOptions) {
    this.#options = options
  }

  /** Takes over a stream that the relay opened. */
  open(stream: TunnelStream, payload: Buffer, ended: boolean): void {
    const opening = parseRawOpening(payload)
    if (!opening) throw new ProtocolViolation('an OPEN with a head on a raw tunnel')
    const { upstream, proxyProtocol } = this.#options
    const startedAt = Date.now()
    const startedMs = performance.now()
    const socket = dial(upstream)
    socket.setKeepAlive(true, keepAliveMs)
    const splice = new Splice(socket, (spliced) => {
      this.#open.delete(splice)
      this.#report(opening, spliced, startedAt, performance.now() - startedMs)
    })
    this.#open.add(splice)
    this.#total += 1
    this.#options.onStreams?.(this.#open.size, this.#total)
    stream.events = splice
    failUnlessConnected(socket, splice, upstream)
    if (proxyProtocol) {
      socket.write(proxyHeader(proxyProtocol, opening))
    }
    splice.start(stream)
    if (ended) splice.onEnd()
  }

  close(): void {
    for (const splice of this.#open) splice.reset()
  }

  #report(opening: RawOpening, spliced: Spliced, startedAt: number, durationMs: number): void {
    this.#options.onStreams?.(this.#open.size, this.#total)
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
