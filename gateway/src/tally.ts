/** How many of something each key has now. A key with none costs nothing. */
export class Tally {
  readonly #counts = new Map<string, number>()

  count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  /** Counts one more; call the result when it is gone. */
  add(key: string): () => void {
    this.#counts.set(key, this.count(key) + 1)
    let gone = false
    return () => {
      if (gone) return
      gone = true
      const left = this.count(key) - 1
      if (left === 0) this.#counts.delete(key)
      else this.#counts.set(key, left)
    }
  }
}
