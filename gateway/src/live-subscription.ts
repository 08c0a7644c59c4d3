import type { GraphQLFormattedError } from 'graphql'

/** What one operation answers, in the form in which it leaves. */
export interface PublicResult {
  readonly data?: unknown
  readonly errors?: readonly GraphQLFormattedError[]
  readonly extensions?: Readonly<Record<string, unknown>>
}

const texts = new WeakMap<PublicResult, string>()

/** A result as JSON, written once however many read it. */
export function textOfResult(result: PublicResult): string {
  let text = texts.get(result)
  if (text === undefined) {
    text = JSON.stringify(result)
    texts.set(result, text)
  }
  return text
}

interface Waiting {
  readonly result: PublicResult
  readonly bytes: number
}

/**
 * The events of one subscriber, joined and waiting to be read. The queue is bounded: a subscriber that reads slowly
 * loses the oldest events and is told how many (`extensions.gap`); nobody else, and no upstream, waits for it.
 *
 * Methods on an object, not an async generator: `return()` of a generator that waits for an event would wait too, and a
 * cancel would never reach the subgraph.
 */
export class LiveSubscription implements AsyncIterableIterator<PublicResult> {
  readonly #onEnd: (() => void)[] = []
  readonly #onDrop: (events: number) => void
  readonly #onRead: () => void
  readonly #bounds: { events: number; bytes: number; window: number }
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #missed = 0
  #ended = false
  #last: PublicResult | null = null
  #wake: (() => void) | null = null
  #closed = false

  constructor(options: {
    onDrop: (events: number) => void
    /** There is room for another event. */
    onRead: () => void
    bounds: { events: number; bytes: number; window: number }
  }) {
    this.#onDrop = options.onDrop
    this.#onRead = options.onRead
    this.#bounds = options.bounds
  }

  /** Calls the listener once, when nothing is read any more. */
  onceEnded(listener: () => void): void {
    if (this.#closed) listener()
    else this.#onEnd.push(listener)
  }

  /** The reader keeps up: joining another event for it is not in vain. */
  get hasRoom(): boolean {
    return this.#waiting.length < this.#bounds.window
  }

  /** `missed` events before this one were dropped before they were joined. */
  push(result: PublicResult, bytes: number, missed: number): void {
    if (this.#ended) return
    this.#missed += missed
    this.#waiting.push({ result, bytes })
    this.#waitingBytes += bytes
    while (
      this.#waiting.length > this.#bounds.events ||
      (this.#waitingBytes > this.#bounds.bytes && this.#waiting.length > 1)
    ) {
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0
      this.#missed += 1
      this.#onDrop(1)
    }
    this.#wakeReader()
  }

  /** The upstream is over. What waits is still read, then `last`. */
  finish(last: PublicResult | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#last = last
    this.#wakeReader()
  }

  /** Ends at once: what waits is dropped, and only `last` is still read. */
  end(last: PublicResult | null): void {
    this.#ended = true
    this.#last = last
    this.#waiting.length = 0
    this.#close()
    this.#wakeReader()
  }

  async next(): Promise<IteratorResult<PublicResult>> {
    for (;;) {
      const first = this.#waiting.shift()
      if (first) {
        this.#waitingBytes -= first.bytes
        const missed = this.#missed
        this.#missed = 0
        this.#onRead()
        return { done: false, value: missed === 0 ? first.result : withGap(first.result, missed) }
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

  #wakeReader(): void {
    this.#wake?.()
    this.#wake = null
  }
}

function withGap(result: PublicResult, missed: number): PublicResult {
  return { ...result, extensions: { ...result.extensions, gap: { missed } } }
}
