import type { ExchangeStream } from '../paced-stream.ts'

/** A webhook is held up to here until its signature is checked. */
export const webhookBytesMax = 1_048_576
/** All webhooks that a relay holds at once. */
const heldBytesMax = 67_108_864
/** A webhook that is not whole by then is given up. */
const wholeWithinMs = 30_000

export type HeldFault = 'too_large' | 'busy' | 'late'

/** The budget of memory for requests that wait for the end of their body. */
export class HeldBytes {
  #bytes = 0

  take(bytes: number): boolean {
    if (this.#bytes + bytes > heldBytesMax) return false
    this.#bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

export interface HeldEvents {
  /** Never while bytes are being handed over, so that whoever hands them over is not changed under its hands. */
  onWhole(body: Buffer, trailers: Buffer | undefined): void
  onFault(fault: HeldFault): void
}

/** Stands in for a stream while the body of a request is collected: everything within a limit, a time and a budget. */
export class HeldRequest implements ExchangeStream {
  readonly #budget: HeldBytes
  readonly #events: HeldEvents
  readonly #timer: NodeJS.Timeout
  #pieces: Buffer[] = []
  #bytes = 0
  localEnded = false
  closed = false

  constructor(budget: HeldBytes, events: HeldEvents) {
    this.#budget = budget
    this.#events = events
    this.#timer = setTimeout(() => this.#fail('late'), wholeWithinMs)
  }

  data(chunk: Buffer, ended: boolean): boolean {
    if (this.closed || this.localEnded) return true
    if (this.#bytes + chunk.length > webhookBytesMax || !this.#budget.take(chunk.length)) {
      const fault = this.#bytes + chunk.length > webhookBytesMax ? 'too_large' : 'busy'
      this.localEnded = true
      queueMicrotask(() => this.#fail(fault))
      return false
    }
    this.#bytes += chunk.length
    // What was read is the socket's again after this call.
    this.#pieces.push(Buffer.from(chunk))
    if (ended) this.#whole(undefined)
    return true
  }

  end(trailers?: Buffer): void {
    if (!this.closed && !this.localEnded) this.#whole(trailers && Buffer.from(trailers))
  }

  /** Lets go of what is held: it goes on elsewhere, or nowhere. */
  reset(): void {
    if (this.closed) return
    this.closed = true
    clearTimeout(this.#timer)
    this.#pieces = []
    this.#budget.give(this.#bytes)
    this.#bytes = 0
  }

  /** Nothing came from an agent, so nothing is owed to one. */
  drained(): void {}
  release(): void {}

  #whole(trailers: Buffer | undefined): void {
    this.localEnded = true
    clearTimeout(this.#timer)
    queueMicrotask(() => {
      if (!this.closed) this.#events.onWhole(Buffer.concat(this.#pieces), trailers)
    })
  }

  #fail(fault: HeldFault): void {
    if (!this.closed) this.#events.onFault(fault)
  }
}
