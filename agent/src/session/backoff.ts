const firstMs = 200
const mostMs = 30_000

/** Waits between attempts: the first at once, then full jitter, so that many agents do not come back in step. */
export class Backoff {
  readonly #random: () => number
  #attempts = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  nextMs(): number {
    const attempt = this.#attempts
    this.#attempts += 1
    if (attempt === 0) return 0
    return Math.round(this.#random() * Math.min(mostMs, firstMs * 2 ** (attempt - 1)))
  }

  /** Only after a session that held for a while: one that dies at once must not be dialled in a loop. */
  reset(): void {
    this.#attempts = 0
  }
}
