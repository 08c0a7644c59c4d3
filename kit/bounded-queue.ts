/** A second bound for values of unequal size. */
interface ByteBound<T> {
  max: number
  of(value: T): number
}

/**
 * Values waiting for one slow reader. Past `itemsMax`, or past `bytes.max`, the oldest is dropped and counted, so a reader that stops
 * costs a fixed amount of memory and learns how much it missed.
 *
 * An object with methods, not an async generator: `return()` of a suspended generator waits for the next value, and
 * a cancel would never reach the source.
 */
export class BoundedQueue<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = []
  readonly #itemsMax: number
  readonly #onEnd: () => void
  readonly #byteBound: ByteBound<T> | null
  #bytes = 0
  #waiting: {
    resolve: (value: IteratorResult<T>) => void
    reject: (error: unknown) => void
  } | null = null
  #ended = false
  #failure: Error | null = null
  #missed = 0

  constructor(
    itemsMax: number,
    onEnd: () => void = () => undefined,
    bytes: ByteBound<T> | null = null,
  ) {
    this.#itemsMax = itemsMax
    this.#onEnd = onEnd
    this.#byteBound = bytes
  }

  /** Values dropped since the last call; the reader asks when it takes a value. */
  takeMissed(): number {
    const missed = this.#missed
    this.#missed = 0
    return missed
  }

  get size(): number {
    return this.#items.length
  }

  push(value: T): void {
    if (this.#ended) return
    if (this.#waiting) {
      this.#waiting.resolve({ done: false, value })
      this.#waiting = null
      return
    }
    this.#items.push(value)
    this.#bytes += this.#byteBound?.of(value) ?? 0
    // The newest always stays, however large it is.
    while (this.#items.length > this.#itemsMax || (this.#isOverBytes() && this.size > 1)) {
      this.#takeOldest()
      this.#missed += 1
    }
  }

  #isOverBytes(): boolean {
    return this.#byteBound !== null && this.#bytes > this.#byteBound.max
  }

  #takeOldest(): T | undefined {
    const value = this.#items.shift()
    if (value !== undefined) this.#bytes -= this.#byteBound?.of(value) ?? 0
    return value
  }

  /** No more values; those waiting are still read, then the failure, if any. */
  end(failure: Error | null = null): void {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    this.#onEnd()
    if (!this.#waiting) return
    if (failure) this.#waiting.reject(failure)
    else this.#waiting.resolve({ done: true, value: undefined })
    this.#waiting = null
    this.#failure = null
  }

  async next(): Promise<IteratorResult<T>> {
    const value = this.#takeOldest()
    if (value !== undefined) return { done: false, value }
    if (this.#failure) {
      const failure = this.#failure
      this.#failure = null
      throw failure
    }
    if (this.#ended) return { done: true, value: undefined }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  async return(): Promise<IteratorResult<T>> {
    this.#items.length = 0
    this.#bytes = 0
    this.end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
