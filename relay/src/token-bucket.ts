/** Lets so many pass per second, after a burst. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #filledAtMs = 0

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  take(nowMs: number, count = 1): boolean {
    if (this.#tokens < count || nowMs - this.#filledAtMs > 1000) this.#fill(nowMs)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  #fill(nowMs: number): void {
    const earned = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
    this.#filledAtMs = nowMs
  }
}
