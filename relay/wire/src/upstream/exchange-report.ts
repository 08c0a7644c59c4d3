import { isVisitor, openVisitor } from '../open-head.ts'
import type { DirectSockets } from '../socket/direct-socket.ts'

/** One exchange with the upstream, as it ended. */
export interface Exchanged {
  readonly requestLine: string
  readonly visitor: string
  readonly status: number
  /** Set when there was no response to pass on. */
  readonly code: string | undefined
  readonly startedAt: number
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Hears one exchange as it passes. Buffers are the forwarder's own: what is kept is copied, and nothing may wait. */
export interface ExchangeTap {
  onRequestData(piece: Buffer): void
  /** An interim head (1xx) or the final one: status line to empty line. */
  onResponseHead(head: Buffer): void
  onResponseData(piece: Buffer): void
  /** Last call: with a code when there was no response to pass on, with `cut` when one broke off. */
  onEnd(end: { readonly code: string | undefined; readonly cut: boolean }): void
}

export interface ExchangeListeners {
  /** Each exchange as it ends. Nothing is put together for it when absent. */
  readonly onExchanged?: (exchanged: Exchanged) => void
  /** What listens to an exchange; sees the head as OPEN brought it. */
  readonly tap?: ((head: Buffer, visitor: string) => ExchangeTap | undefined) | undefined
}

type ReadClock = Pick<DirectSockets, 'nowMs' | 'nowUnixMs'>

const CR = 0x0d

/** What listeners are told of an exchange. One per connection, used again for each of its exchanges. */
export class ExchangeReport {
  readonly #listeners: ExchangeListeners
  readonly #clock: ReadClock
  #tap: ExchangeTap | undefined
  #requestLine = ''
  #visitor = ''
  #startedAt = 0
  #startedMs = 0
  status = 0
  requestBytes = 0
  responseBytes = 0

  constructor(listeners: ExchangeListeners, clock: ReadClock) {
    this.#listeners = listeners
    this.#clock = clock
  }

  /** `tap` is that of a first try on another connection. */
  start(payload: Buffer, headStart: number, tap: ExchangeTap | undefined): void {
    const { onExchanged, tap: openTap } = this.#listeners
    this.status = 0
    this.requestBytes = 0
    this.responseBytes = 0
    if (openTap) this.#tap = tap ?? openTap(payload.subarray(headStart), openVisitor(payload))
    if (!onExchanged) return
    this.#startedAt = this.#clock.nowUnixMs()
    this.#startedMs = this.#clock.nowMs()
    let lineEnd = headStart
    while (lineEnd < payload.length && payload[lineEnd] !== CR) lineEnd += 1
    this.#requestLine = payload.toString('latin1', headStart, lineEnd)
    if (!isVisitor(payload, this.#visitor)) this.#visitor = openVisitor(payload)
  }

  requestData(piece: Buffer): void {
    this.requestBytes += piece.length
    this.#tap?.onRequestData(piece)
  }

  responseHead(buffer: Buffer, start: number, end: number): void {
    this.#tap?.onResponseHead(buffer.subarray(start, end))
  }

  responseData(piece: Buffer): void {
    this.responseBytes += piece.length
    this.#tap?.onResponseData(piece)
  }

  /** The exchange goes on elsewhere, and is reported there. */
  handOver(): ExchangeTap | undefined {
    const tap = this.#tap
    this.#tap = undefined
    this.#requestLine = ''
    return tap
  }

  /** Once per exchange; later calls are void. `cut`: the response, or the wait for it, was broken off. */
  end(code: string, cut = code !== ''): void {
    const tap = this.#tap
    if (tap) {
      this.#tap = undefined
      tap.onEnd({ code: code === '' ? undefined : code, cut })
    }
    const { onExchanged } = this.#listeners
    if (!onExchanged || this.#requestLine === '') return
    const requestLine = this.#requestLine
    this.#requestLine = ''
    onExchanged({
      requestLine,
      visitor: this.#visitor,
      status: this.status,
      code: code === '' ? undefined : code,
      startedAt: this.#startedAt,
      durationMs: this.#clock.nowMs() - this.#startedMs,
      requestBytes: this.requestBytes,
      responseBytes: this.responseBytes,
    })
  }
}
