import type { Refusal } from '@sluice/wire'

/** Relays refuse what was issued up to `authenticationCachedMs` after a revocation: tokens are asked for well beyond that. */
const defaultMs = 20_000
const retryMsMax = 2_000

/**
 * Whether a new token may still do where the one before was revoked: an authtoken that may be used less than before, or a
 * service account with another role, may go on. The control plane says whether it is for good; relays refuse what is issued
 * in the seconds after the revocation, so another is asked for.
 */
export class ComeBack {
  readonly #forMs: number
  #since: number | undefined

  constructor(forMs = defaultMs) {
    this.#forMs = forMs
  }

  /** Nothing but a token that is minted from now on will do. */
  get needsFresh(): boolean {
    return this.#since !== undefined
  }

  mayAfter({ code }: Refusal): boolean {
    if (code !== 'SLUICE_SESSION_REVOKED') return false
    this.#since ??= performance.now()
    return this.#isOpen()
  }

  /** When to try again; undefined where that is not the question. */
  retryInMs(): number | undefined {
    return this.#isOpen() ? retryMsMax * Math.random() : undefined
  }

  succeeded(): void {
    this.#since = undefined
  }

  #isOpen(): boolean {
    return this.#since !== undefined && performance.now() - this.#since < this.#forMs
  }
}
