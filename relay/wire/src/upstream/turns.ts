/**
 * Tells reads of one poll of the event loop from those of the next: what is read in the poll in which something was
 * written was there before it. Costs one immediate per poll in which it is asked.
 */
export class Turns {
  #now = 0
  #begun = false

  get now(): number {
    return this.#now
  }

  /** The turn that lasts until this poll is over. */
  begin(): number {
    if (!this.#begun) {
      this.#begun = true
      setImmediate(() => {
        this.#begun = false
        this.#now += 1
      })
    }
    return this.#now
  }
}
