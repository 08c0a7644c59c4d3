import type { EdgeTimeouts } from './edge-context.ts'
import type { Exchange } from './exchange.ts'
import type { VisitorSocket } from './visitor-socket.ts'

/** How long after the end of the visitor's half it is asked again whether it is still there. */
const halfClosedMs = 250

/** How long a visitor may take to close its half after the last response. */
export const lingerMs = 5_000
/** How long an upload may go on after its response is whole. */
export const earlyMs = 30_000

/** Which of a connection's deadlines has passed: of a head, of a body, between requests, for a response, or for the connection. */
export type Passed = 'head' | 'body' | 'idle' | 'response' | 'half-closed' | 'end' | 'none'

/** The deadlines of one visitor's connection, kept as times rather than timers: one sweep looks at all connections. */
export class Deadlines {
  readonly #timeouts: EdgeTimeouts
  readonly #socket: Pick<VisitorSocket, 'bytesWritten' | 'writableLength'>
  #headSinceMs = 0
  /** 0: from the next sweep on, which spares each request a look at the clock. */
  #idleSinceMs = performance.now()
  #halfClosedAtMs = 0
  #halfClosedBytes = 0
  #closeAtMs = 0
  #bodySinceMs = 0
  #bodyBytes = 0
  #unreadSinceMs = 0
  #unreadBytes = 0

  constructor(
    timeouts: EdgeTimeouts,
    socket: Pick<VisitorSocket, 'bytesWritten' | 'writableLength'>,
  ) {
    this.#timeouts = timeouts
    this.#socket = socket
  }

  headBegan(): void {
    if (this.#headSinceMs === 0) this.#headSinceMs = performance.now()
  }

  headEnded(): void {
    this.#headSinceMs = 0
  }

  idleBegan(): void {
    this.#idleSinceMs = 0
  }

  halfCloseBegan(): void {
    this.#halfClosedAtMs = performance.now()
    this.#halfClosedBytes = this.#socket.bytesWritten
  }

  /** Nothing was written since the visitor has closed its half. */
  get stoodStill(): boolean {
    return this.#socket.bytesWritten === this.#halfClosedBytes
  }

  closeIn(delayMs: number): void {
    this.#closeAtMs = performance.now() + delayMs
  }

  /** The connection need not close after all. */
  keep(): void {
    this.#closeAtMs = 0
  }

  /** `blocked`: the visitor is behind with reading. `paused`: it may not send. */
  passed(
    nowMs: number,
    readingHead: boolean,
    exchange: Exchange,
    blocked: boolean,
    paused: boolean,
  ): Passed {
    if (this.#closeAtMs > 0 && nowMs >= this.#closeAtMs) return 'end'
    if (this.#unread(nowMs, blocked)) return 'end'
    if (readingHead) return this.#beforeRequest(nowMs)
    if (!exchange.stream) return 'none'
    const { responseHeadTimeoutMs } = this.#timeouts
    const waiting = exchange.requestEnded && !exchange.responseStarted && !exchange.grpc
    if (waiting && nowMs - exchange.startedMs >= responseHeadTimeoutMs) return 'response'
    if (this.#slow(nowMs, exchange, paused)) return 'body'
    return this.#halfClosed(nowMs, exchange) ? 'half-closed' : 'none'
  }

  #beforeRequest(nowMs: number): Passed {
    const { headTimeoutMs, idleTimeoutMs } = this.#timeouts
    if (this.#headSinceMs > 0) return nowMs - this.#headSinceMs >= headTimeoutMs ? 'head' : 'none'
    // Once said is enough: said again it would put off the end for ever.
    if (this.#closeAtMs > 0) return 'none'
    if (this.#idleSinceMs === 0) this.#idleSinceMs = nowMs
    return nowMs - this.#idleSinceMs >= idleTimeoutMs ? 'idle' : 'none'
  }

  /** An upload that hardly moves holds a stream and an upstream for ever. Once the response has begun it is a conversation, which may pause. */
  #slow(nowMs: number, exchange: Exchange, paused: boolean): boolean {
    const { bodyTimeoutMs, bodyBytesMin } = this.#timeouts
    const { requestBytes, startedMs } = exchange
    if (bodyTimeoutMs === 0 || exchange.requestEnded || exchange.responseStarted) return false
    if (exchange.grpc) return false
    const another = startedMs > this.#bodySinceMs
    if (another || paused || requestBytes - this.#bodyBytes >= bodyBytesMin) {
      this.#bodySinceMs = another ? startedMs : nowMs
      this.#bodyBytes = another ? 0 : requestBytes
    }
    return nowMs - this.#bodySinceMs >= bodyTimeoutMs
  }

  #unread(nowMs: number, blocked: boolean): boolean {
    const { unreadTimeoutMs } = this.#timeouts
    if (unreadTimeoutMs === 0) return false
    const taken = this.#socket.bytesWritten - (this.#socket.writableLength ?? 0)
    if (!blocked || taken !== this.#unreadBytes || this.#unreadSinceMs === 0) {
      this.#unreadBytes = taken
      this.#unreadSinceMs = nowMs
    }
    return nowMs - this.#unreadSinceMs >= unreadTimeoutMs
  }

  /** Once. */
  #halfClosed(nowMs: number, { upgraded }: Exchange): boolean {
    const sinceMs = this.#halfClosedAtMs
    if (sinceMs === 0 || upgraded || nowMs - sinceMs < halfClosedMs) return false
    this.#halfClosedAtMs = 0
    return true
  }
}
