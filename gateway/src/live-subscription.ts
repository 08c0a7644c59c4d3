import type { SluiceError } from '@sluice/schema/errors'
import type { GraphQLFormattedError } from 'graphql'

import { errorOf } from './graph-errors.ts'

/** What one operation answers, in the form in which it leaves. */
export interface PublicResult {
  readonly data?: unknown
  readonly errors?: readonly GraphQLFormattedError[]
  readonly extensions?: Readonly<Record<string, unknown>>
}

/** Bounds of what waits for one reader. */
export interface QueueBounds {
  readonly events: number
  /** Of their JSON. */
  readonly bytes: number
  /** Events that may wait before joining more for this reader is in vain. */
  readonly window: number
}

/**
 * The events of one subscriber, joined and waiting to be read. The queue is bounded: a subscriber that reads slowly
 * loses the oldest events and is told how many (`extensions.gap`); nobody else, and no upstream, waits for it.
 *
 * What is read is JSON text: it is written once however many subscribers read it. Reading takes what is there without a
 * promise for each event, and is no async generator, whose `return()` would wait for the next event: a cancel would never
 * reach the subgraph.
 */
export class LiveSubscription {
  readonly #onEnd: ((reason: string) => void)[] = []
  readonly #onDrop: (events: number) => void
  readonly #onRoom: () => void
  readonly #bounds: QueueBounds
  readonly #waiting: string[] = []
  #waitingBytes = 0
  #missed = 0
  #taken = 0
  #onEvery: { events: number; listener: () => void } | null = null
  #ended = false
  #reason = ''
  #last: string | null = null
  #wake: (() => void) | null = null
  #closed = false

  constructor(options: {
    onDrop: (events: number) => void
    /** There is room again for another event. */
    onRoom: () => void
    bounds: QueueBounds
  }) {
    this.#onDrop = options.onDrop
    this.#onRoom = options.onRoom
    this.#bounds = options.bounds
  }

  /** Calls the listener once, when nothing is read any more, with a word for why: a code, or `left`, `complete`, `lost`. */
  onceEnded(listener: (reason: string) => void): void {
    if (this.#closed) listener(this.#reason)
    else this.#onEnd.push(listener)
  }

  /** Calls the listener with the first event that is read after each `events` events. Takes one listener. */
  onEvery(events: number, listener: () => void): void {
    this.#onEvery = { events, listener }
  }

  /** The reader keeps up: joining another event for it is not in vain. */
  get hasRoom(): boolean {
    return this.#waiting.length < this.#bounds.window
  }

  /** `results` without extensions, as JSON. `missed` events before the first were dropped before they were joined. */
  push(results: readonly string[], missed: number): void {
    if (this.#ended) return
    this.#missed += missed
    for (const result of results) {
      this.#waiting.push(result)
      this.#waitingBytes += result.length
    }
    while (
      this.#waiting.length > this.#bounds.events ||
      (this.#waitingBytes > this.#bounds.bytes && this.#waiting.length > 1)
    ) {
      this.#waitingBytes -= this.#waiting.shift()?.length ?? 0
      this.#missed += 1
      this.#onDrop(1)
    }
    this.#wakeReader()
  }

  /** The upstream is over. What waits is still read, then `last`. */
  finish(reason: string, last: string | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#reason = reason
    this.#last = last
    this.#wakeReader()
  }

  /** Ends at once: what waits is dropped, and only `last` is still read. */
  end(reason: string, last: string | null): void {
    if (this.#closed) return
    if (!this.#ended) this.#reason = reason
    this.#ended = true
    this.#last = last
    this.#waiting.length = 0
    this.#close()
    this.#wakeReader()
  }

  /** Ends at once, with the error as its last payload. */
  endWith(error: SluiceError): void {
    this.end(error.code, JSON.stringify({ errors: [errorOf(error)] }))
  }

  /** The next result, as JSON; null when none waits. */
  take(): string | null {
    const result = this.#waiting.shift()
    if (result === undefined) {
      const last = this.#last
      this.#last = null
      return last
    }
    this.#waitingBytes -= result.length
    if (this.#onEvery && this.#taken > 0 && this.#taken % this.#onEvery.events === 0) {
      this.#onEvery.listener()
    }
    this.#taken += 1
    const missed = this.#missed
    this.#missed = 0
    if (this.#waiting.length === this.#bounds.window - 1) this.#onRoom()
    return missed === 0 ? result : withGap(result, missed)
  }

  /** Resolves when there is something to take, with false when there will be nothing any more. */
  async readable(): Promise<boolean> {
    while (this.#waiting.length === 0 && this.#last === null) {
      if (this.#ended) {
        this.#close()
        return false
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return true
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const listener of this.#onEnd) listener(this.#reason)
  }

  #wakeReader(): void {
    this.#wake?.()
    this.#wake = null
  }
}

/** Written into the text, which has no extensions yet. */
function withGap(result: string, missed: number): string {
  return `${result.slice(0, -1)},"extensions":{"gap":{"missed":${missed}}}}`
}
