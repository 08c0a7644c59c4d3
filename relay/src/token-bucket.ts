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

  take(nowMs: number): boolean {
    if (this.#tokens < 1) {
      const earned = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond
      if (earned < 1) return false
      this.#tokens = Math.min(this.#burst, this.#tokens + earned)
      this.#filledAtMs = nowMs
    } else if (nowMs - this.#filledAtMs > 1000) {
      const earned = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond
      this.#tokens = Math.min(this.#burst, this.#tokens + earned)
      this.#filledAtMs = nowMs
    }
    this.#tokens -= 1
    return true
  }
}
