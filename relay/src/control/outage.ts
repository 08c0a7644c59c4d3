/** How long a session may take to renew its agent token once the control plane is back. */
const renewWithinMs = 30_000

export interface OutageOptions {
  /** How long past its expiry an agent token may serve while the control plane is away; 0 for not at all. */
  readonly limitMs: number
  readonly renewWithinMs?: number | undefined
  /** Wall clock, as the expiry of tokens is. */
  readonly now?: () => number
}

/**
 * Whether the control plane is away, as the relay's own heartbeats see it, and how long an expired agent token may
 * serve for that. An agent cannot bring an outage about: only the relay's own way to the control plane counts.
 */
export class Outage {
  readonly #limitMs: number
  readonly #renewWithinMs: number
  readonly #now: () => number
  #away = false
  #endedAtMs = -Infinity

  constructor({ limitMs, now = Date.now, ...options }: OutageOptions) {
    this.#limitMs = limitMs
    this.#renewWithinMs = options.renewWithinMs ?? renewWithinMs
    this.#now = now
  }

  get away(): boolean {
    return this.#away
  }

  /** The longest that an expired token may serve, ever. */
  get limitMs(): number {
    return this.#limitMs
  }

  /** A heartbeat got no answer. */
  began(): void {
    this.#away = true
  }

  /** The control plane answered, be it with a refusal. */
  ended(): void {
    if (!this.#away) return
    this.#away = false
    this.#endedAtMs = this.#now()
  }

  /** How much longer a token may serve that expires, or expired, at this time. Not positive: no longer. */
  graceMs(expiresAtMs: number): number {
    const nowMs = this.#now()
    const limitMs = expiresAtMs + this.#limitMs - nowMs
    return this.#away ? limitMs : Math.min(limitMs, this.#endedAtMs + this.#renewWithinMs - nowMs)
  }
}
