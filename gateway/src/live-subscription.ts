import type { GraphQLFormattedError } from 'graphql'

/** What one operation answers, in the form in which it leaves. */
export interface PublicResult {
  readonly data?: unknown
  readonly errors?: readonly GraphQLFormattedError[]
  readonly extensions?: Readonly<Record<string, unknown>>
}

interface Waiting {
  readonly payload: unknown
  readonly bytes: number
}

/**
 * The events of one subscriber: a bounded queue before the joins, and a window of joins that run at once and leave in
 * order. A subscriber that reads slowly loses the oldest events and is told how many (`extensions.gap`); nobody else,
 * and no upstream, waits for it.
 *
 * Methods on an object, not an async generator: `return()` of a generator that waits for an event would wait too, and a
 * cancel would never reach the subgraph.
 */
export class LiveSubscription implements AsyncIterableIterator<PublicResult> {
  readonly #join: (payload: unknown) => Promise<PublicResult>
  readonly #onEnd: (() => void)[]
  readonly #onDrop: (events: number) => void
  readonly #bounds: { events: number; bytes: number; window: number }
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  readonly #joins: Promise<PublicResult>[] = []
  #missed = 0
  #ended = false
  #last: PublicResult | null = null
  #wake: (() => void) | null = null
  #closed = false

  constructor(options: {
    /** Runs the rest of the plan for one event. Never rejects. */
    join: (payload: unknown) => Promise<PublicResult>
    /** Called once: closes the upstream and cancels running joins. */
    onEnd: () => void
    onDrop: (events: number) => void
    bounds: { events: number; bytes: number; window: number }
  }) {
    this.#join = options.join
    this.#onEnd = [options.onEnd]
    this.#onDrop = options.onDrop
    this.#bounds = options.bounds
  }

  onceEnded(listener: () => void): void {
    if (this.#closed) listener()
    else this.#onEnd.push(listener)
  }

  push(payload: unknown, bytes: number): void {
    if (this.#ended) return
    this.#waiting.push({ payload, bytes })
    this.#waitingBytes += bytes
    while (
      this.#waiting.length > this.#bounds.events ||
      (this.#waitingBytes > this.#bounds.bytes && this.#waiting.length > 1)
    ) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0
      this.#missed += 1
      this.#onDrop(1)
    }
    this.#fill()
  }

  /** The upstream is over. Events that wait are still joined and read, then `last`. */
  finish(last: PublicResult | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#last = last
    this.#wakeReader()
  }

  /** Ends at once: what waits is dropped, running joins are cancelled, and only `last` is still read. */
  end(last: PublicResult | null): void {
    this.#ended = true
    this.#last = last
    this.#waiting.length = 0
    this.#joins.length = 0
    this.#close()
    this.#wakeReader()
  }

  async next(): Promise<IteratorResult<PublicResult>> {
    for (;;) {
      const first = this.#joins[0]
      if (first) {
        const value = await first
        // Ended while waiting: the joins were thrown away.
        if (this.#joins.length === 0) continue
        void this.#joins.shift()
        this.#fill()
        return { done: false, value }
      }
      if (this.#ended) {
        const last = this.#last
        this.#last = null
        if (last) return { done: false, value: last }
        this.#close()
        return { done: true, value: undefined }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async return(): Promise<IteratorResult<PublicResult>> {
    this.end(null)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const listener of this.#onEnd) listener()
  }

  #fill(): void {
    while (this.#joins.length < this.#bounds.window) {
      const event = this.#waiting.shift()
      if (!event) break
      this.#waitingBytes -= event.bytes
      const missed = this.#missed
      this.#missed = 0
      this.#joins.push(this.#joined(event.payload, missed))
    }
    if (this.#joins.length > 0) this.#wakeReader()
  }

  async #joined(payload: unknown, missed: number): Promise<PublicResult> {
    const result = await this.#join(payload)
    if (missed === 0) return result
    return { ...result, extensions: { ...result.extensions, gap: { missed } } }
  }

  #wakeReader(): void {
    this.#wake?.()
    this.#wake = null
  }
}
