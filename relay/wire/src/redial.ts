const firstMs = 200
const mostMs = 30_000
/** After this long online the next loss is dialled at once again: a session that dies at once must not be dialled in a loop. */
const healthyMs = 10_000

export interface RedialIo {
  setTimer(callback: () => void, delayMs: number): () => void
  /** From 0 up to 1. */
  random(): number
}

/**
 * When an agent dials next: a state machine without a clock, dice or socket of its own. The first
 * loss is dialled at once, then with full jitter, so that many agents do not come back in step.
 */
export class Redial {
  readonly #io: RedialIo
  readonly #dial: () => void
  #attempts = 0
  #wasOnline = false
  #cancelWait: (() => void) | undefined
  #cancelHealthy: (() => void) | undefined
  #stopped = false

  constructor(io: RedialIo, dial: () => void) {
    this.#io = io
    this.#dial = dial
  }

  /** Dials after the wait that is due, or the one given, which counts for nothing. Answers how long it is. */
  again(waitMs = this.#nextWaitMs()): number {
    this.#cancelHealthy?.()
    this.#cancelWait?.()
    if (this.#stopped) return waitMs
    this.#cancelWait = this.#io.setTimer(() => {
      this.#cancelWait = undefined
      this.#dial()
    }, waitMs)
    return waitMs
  }

  /** A relay has welcomed the agent. Answers whether it was online before. */
  online(): boolean {
    const before = this.#wasOnline
    this.#wasOnline = true
    this.#cancelHealthy?.()
    // The first start was no loss: the first loss is dialled at once.
    if (!before) this.#attempts = 0
    this.#cancelHealthy = this.#io.setTimer(() => {
      this.#cancelHealthy = undefined
      this.#attempts = 0
    }, healthyMs)
    return before
  }

  stop(): void {
    this.#stopped = true
    this.#cancelWait?.()
    this.#cancelHealthy?.()
  }

  #nextWaitMs(): number {
    const attempt = this.#attempts
    this.#attempts += 1
    if (attempt === 0) return 0
    return Math.round(this.#io.random() * Math.min(mostMs, firstMs * 2 ** (attempt - 1)))
  }
}
