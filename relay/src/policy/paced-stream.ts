import { TunnelStream, type Details, type StreamEvents } from '@sluice/wire'

import { Pacer } from './bandwidth.ts'
import type { TunnelLimits } from './tunnel-limits.ts'

/** What the owner of an exchange needs of its stream. */
export type ExchangeStream = Pick<
  TunnelStream,
  'data' | 'end' | 'reset' | 'release' | 'drained' | 'closed' | 'localEnded'
>

/** The stream as it is, or, for a tunnel with a bandwidth limit, one that sends and hears in its turn; also in the middle of it. */
export function paced(stream: ExchangeStream, limits: TunnelLimits | undefined): ExchangeStream {
  if (!limits?.bandwidth || !(stream instanceof TunnelStream)) return stream
  return new PacedStream(stream, limits)
}

/**
 * A stream under its tunnel's bandwidth limit. What the agent sends waits here, at most the stream's window, and its
 * credit is returned only when the visitor has taken it; a visitor that sends is paused.
 */
class PacedStream implements ExchangeStream, StreamEvents {
  readonly #stream: TunnelStream
  readonly #owner: StreamEvents
  readonly #down: Pacer
  readonly #up: Pacer

  /** Takes the place of the stream's owner. */
  constructor(stream: TunnelStream, limits: TunnelLimits) {
    this.#stream = stream
    this.#owner = stream.events
    stream.events = this
    const bandwidth = () => limits.bandwidth
    this.#down = new Pacer(bandwidth, (piece, ended) => {
      this.#owner.onData(piece, ended)
      return true
    })
    this.#up = new Pacer(
      bandwidth,
      (piece, ended) => stream.data(piece, ended),
      () => this.#owner.onResume(),
    )
  }

  get closed(): boolean {
    return this.#stream.closed && !this.#down.waiting
  }

  get localEnded(): boolean {
    return this.#stream.localEnded
  }

  // To the agent

  data(chunk: Buffer, ended: boolean): boolean {
    if (this.#stream.closed) return true
    return this.#up.push(chunk, ended)
  }

  end(trailers?: Buffer): void {
    // What has to wait may not be the caller's.
    const kept = trailers && this.#up.waiting ? Buffer.from(trailers) : trailers
    this.#up.end(() => this.#stream.end(kept))
  }

  reset(code = '', details: Details = {}): void {
    this.#drop()
    this.#stream.reset(code, details)
  }

  drained(bytes: number): void {
    this.#stream.drained(bytes)
  }

  release(): void {
    this.#stream.release()
  }

  // From the agent

  onHead(payload: Buffer, own: boolean): void {
    this.#owner.onHead(payload, own)
  }

  onData(piece: Buffer, ended: boolean): void {
    this.#down.push(piece, ended)
  }

  onEnd(trailers: Buffer): void {
    // They belong to the link's chunk, which may be gone by then.
    const kept = this.#down.waiting ? Buffer.from(trailers) : trailers
    this.#down.end(() => this.#owner.onEnd(kept))
  }

  onReset(code: string, details: Details): void {
    this.#drop()
    this.#owner.onReset(code, details)
  }

  onResume(): void {
    this.#up.resume()
    if (!this.#up.waiting) this.#owner.onResume()
  }

  #drop(): void {
    this.#down.drop()
    this.#up.drop()
    this.#stream.release()
  }
}
