import type { SharedBucket } from './shared-bucket.ts'

/** What a visitor that comes too often is told. */
export interface RateRefusal {
  readonly perSecond: number
  readonly burst: number
  readonly retryAfterSeconds: number
}

/** The requests per second of one tunnel, over all relays. */
export class RequestRate {
  readonly #bucket: SharedBucket
  readonly #perSecond: number
  readonly #burst: number

  constructor(bucket: SharedBucket, perSecond: number, burst: number) {
    this.#bucket = bucket
    this.#perSecond = perSecond
    this.#burst = burst
  }

  /** Why another request may not pass now; undefined when it may. Takes nothing. */
  refusal(): RateRefusal | undefined {
    if (this.#bucket.level >= 1) return undefined
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#bucket.waitMs(1) / 1000))
    return { perSecond: this.#perSecond, burst: this.#burst, retryAfterSeconds }
  }

  /** A request passes. */
  take(): void {
    this.#bucket.spend(1)
  }

  close(): void {
    this.#bucket.close()
  }
}
