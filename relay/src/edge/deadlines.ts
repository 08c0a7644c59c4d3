import type { EdgeTimeouts } from './edge-context.ts'
import type { Exchange } from './exchange.ts'
import type { VisitorSocket } from './visitor-socket.ts'

/** A visitor that has closed its half and takes no bytes is given up: most have just gone away. */
const halfClosedMs = 2_000

/** Which of a connection's deadlines has passed: of a head, between requests, for a response, or for the connection. */
export type Passed = 'head' | 'idle' | 'response' | 'end' | 'none'

/** The deadlines of one visitor's connection, kept as times rather than timers: one sweep looks at all connections. */
export class Deadlines {
  readonly #timeouts: EdgeTimeouts
  readonly #socket: Pick<VisitorSocket, 'bytesWritten'>
  #headSinceMs = 0
  #idleSinceMs = performance.now()
  #halfClosedAtMs = 0
  #halfClosedBytes = 0
  #closeAtMs = 0

  constructor(timeouts: EdgeTimeouts, socket: Pick<VisitorSocket, 'bytesWritten'>) {
    this.#timeouts = timeouts
    this.#socket = socket
  }

  get halfClosed(): boolean {
    return this.#halfClosedAtMs > 0
  }

  headBegan(): void {
    if (this.#headSinceMs === 0) this.#headSinceMs = performance.now()
  }

  headEnded(): void {
    this.#headSinceMs = 0
  }

  idleBegan(): void {
    this.#idleSinceMs = performance.now()
  }

  halfCloseBegan(): void {
    this.#halfClosedAtMs = performance.now()
    this.#halfClosedBytes = this.#socket.bytesWritten
  }

  closeIn(delayMs: number): void {
    this.#closeAtMs = performance.now() + delayMs
  }

  /** The connection need not close after all. */
  keep(): void {
    this.#closeAtMs = 0
  }

  passed(nowMs: number, readingHead: boolean, exchange: Exchange, blocked: boolean): Passed {
    if (this.#closeAtMs > 0 && nowMs >= this.#closeAtMs) return 'end'
    if (readingHead) return this.#beforeRequest(nowMs)
    if (!exchange.stream) return 'none'
    const { responseHeadTimeoutMs } = this.#timeouts
    const waiting = exchange.requestEnded && !exchange.responseStarted
    if (waiting && nowMs - exchange.startedMs >= responseHeadTimeoutMs) return 'response'
    return this.#gone(nowMs, exchange.upgraded, blocked) ? 'end' : 'none'
  }

  #beforeRequest(nowMs: number): Passed {
    const { headTimeoutMs, idleTimeoutMs } = this.#timeouts
    if (this.#headSinceMs > 0) return nowMs - this.#headSinceMs >= headTimeoutMs ? 'head' : 'none'
    // Once said is enough: said again it would put off the end for ever.
    if (this.#closeAtMs > 0) return 'none'
    return nowMs - this.#idleSinceMs >= idleTimeoutMs ? 'idle' : 'none'
  }

  #gone(nowMs: number, upgraded: boolean, blocked: boolean): boolean {
    if (this.#halfClosedAtMs === 0 || upgraded) return false
    const { bytesWritten } = this.#socket
    if (bytesWritten === this.#halfClosedBytes) {
      return nowMs - this.#halfClosedAtMs >= halfClosedMs && !blocked
    }
    this.#halfClosedBytes = bytesWritten
    this.#halfClosedAtMs = nowMs
    return false
  }
}
