/**
 * Ends something under way, once. It has one listener and costs next to nothing, where an AbortController with a listener
 * costs some microseconds: there is one per request to a subgraph.
 */
export class Stop {
  #over: { readonly reason: unknown } | null = null
  #listener: ((reason: unknown) => void) | null = null

  get isOver(): boolean {
    return this.#over !== null
  }

  /** Does nothing the second time. */
  now(reason: unknown): void {
    if (this.#over) return
    this.#over = { reason }
    this.#listener?.(reason)
  }

  /** Calls `listener` when it is over, perhaps at once. It takes the place of the one before. */
  onceOver(listener: (reason: unknown) => void): void {
    this.#listener = listener
    if (this.#over) listener(this.#over.reason)
  }
}
