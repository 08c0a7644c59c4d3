export interface Backoff {
  /** How long to wait before the next attempt. */
  nextMs(): number
  /** An attempt has succeeded: the next failure starts small again. */
  reset(): void
}

interface BackoffOptions {
  readonly baseMs: number
  readonly capMs: number
  readonly random?: () => number
}

/** Full jitter: anywhere up to a ceiling that doubles, so that a thousand agents do not return as one. */
export function createBackoff({ baseMs, capMs, random = Math.random }: BackoffOptions): Backoff {
  let attempt = 0
  return {
    nextMs() {
      const ceilingMs = Math.min(capMs, baseMs * 2 ** attempt)
      attempt = Math.min(attempt + 1, 30)
      return Math.round(random() * ceilingMs)
    },
    reset() {
      attempt = 0
    },
  }
}
