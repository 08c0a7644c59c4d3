import { ChunkedDecoder, malformed, type BodyKind, type HeadScanner } from '@sluice/wire'

import type { Exchange } from './exchange.ts'

/** Finds the end of a request's body and takes its transfer coding off. */
export class RequestBody {
  readonly #exchange: Exchange
  readonly #forward: (piece: Buffer, ended: boolean) => void
  #remaining = 0
  #chunked: ChunkedDecoder | undefined
  reason = ''
  done = true

  constructor(exchange: Exchange, forward: (piece: Buffer, ended: boolean) => void) {
    this.#exchange = exchange
    this.#forward = forward
  }

  start(scanner: HeadScanner, kind: BodyKind): void {
    this.#remaining = scanner.contentLength
    this.#chunked = kind === 'chunked' ? new ChunkedDecoder(scanner) : undefined
    this.done = false
  }

  /** Passes on what belongs to the body; answers the offset behind it, or `malformed` with `reason` set. */
  read(chunk: Buffer): number {
    const decoder = this.#chunked
    if (!decoder) return this.#readLength(chunk)
    const after = decoder.decode(chunk, 0, chunk.length, this.#forwardPart)
    if (after === malformed) this.reason = decoder.reason
    else if (decoder.done) {
      this.#exchange.stream?.end(decoder.trailers)
      this.#exchange.replay?.end(decoder.trailers)
      this.#chunked = undefined
      this.done = true
    }
    return after
  }

  #readLength(chunk: Buffer): number {
    const bytes = Math.min(this.#remaining, chunk.length)
    this.#remaining -= bytes
    this.done = this.#remaining === 0
    this.#forward(bytes === chunk.length ? chunk : chunk.subarray(0, bytes), this.done)
    return bytes
  }

  readonly #forwardPart = (buffer: Buffer, start: number, end: number): void => {
    this.#forward(buffer.subarray(start, end), false)
  }
}
