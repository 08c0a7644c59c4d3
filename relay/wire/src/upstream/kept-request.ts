const none: Buffer = Buffer.alloc(0)
/** Room for what OPEN brings, kept with the connection; a larger head gets its own for as long as it is needed. */
const roomBytes = 2_048

/**
 * What OPEN brought, in a buffer of its own: for writing it, and for a second try until the upstream answers. One per
 * connection; requests of one kind are of one length, so the views of the last one often serve the next.
 */
export class KeptRequest {
  #room: Buffer | undefined
  #view = none
  #head = none
  #headOf = none
  payload = none

  keep(payload: Buffer): void {
    const { length } = payload
    if (length > roomBytes) {
      this.payload = Buffer.from(payload)
      return
    }
    this.#room ??= Buffer.allocUnsafeSlow(roomBytes)
    payload.copy(this.#room)
    if (this.#view.length !== length) this.#view = this.#room.subarray(0, length)
    this.payload = this.#view
  }

  /** What the upstream gets of it. */
  headFrom(start: number): Buffer {
    const { payload } = this
    if (this.#headOf !== payload || this.#head.length !== payload.length - start) {
      this.#head = payload.subarray(start)
      this.#headOf = payload
    }
    return this.#head
  }

  /** The upstream has answered. `forGood`: no request follows, but the connection may stay for hours. */
  answered(forGood: boolean): void {
    if (this.payload.length > roomBytes || forGood) {
      this.payload = none
      this.#head = none
      this.#headOf = none
    }
    if (!forGood) return
    this.#room = undefined
    this.#view = none
  }
}
