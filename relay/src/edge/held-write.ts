import type { VisitorResponse } from './visitor-response.ts'

const slabBytes = 131_072

/**
 * Builds what visitors get in one shared buffer, and holds the last write back until the next frame shows whether it
 * continues: so a small response, head and body, is one write.
 */
export class HeldWrite {
  buffer = Buffer.allocUnsafeSlow(slabBytes)
  at = 0
  owner: VisitorResponse | undefined
  #start = 0

  /** Makes room for `bytes` more in the owner's run. What another one held is sent first. */
  reserve(owner: VisitorResponse, bytes: number): void {
    if (this.owner !== owner) {
      this.flush()
      this.owner = owner
    }
    if (this.buffer.length - this.at >= bytes) return
    this.flush()
    this.owner = owner
    this.buffer = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
    this.#start = 0
    this.at = 0
  }

  /** Leaves out what is first in a run that has just begun: it was sent already. */
  skip(bytes: number): void {
    this.#start += bytes
  }

  flush(): void {
    const { owner } = this
    if (!owner) return
    const bytes = this.buffer.subarray(this.#start, this.at)
    this.owner = undefined
    this.#start = this.at
    if (bytes.length > 0) owner.sendHeld(bytes)
  }
}
