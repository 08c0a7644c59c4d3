import type { Slab, SlabPool } from '@sluice/wire'

import type { VisitorResponse } from './visitor-response.ts'

/**
 * Builds what visitors get in one shared buffer, and holds the last write back until the next frame shows whether it
 * continues: so a small response, head and body, is one write.
 */
export class HeldWrite {
  readonly #slabs: SlabPool
  #slab: Slab
  at = 0
  owner: VisitorResponse | undefined
  #start = 0
  /** The last write from the start of the slab: the next is often as long. */
  #view: Buffer
  #viewed: Slab

  constructor(slabs: SlabPool) {
    this.#slabs = slabs
    this.#slab = slabs.take()
    this.#view = this.#slab.bytes
    this.#viewed = this.#slab
  }

  get buffer(): Buffer {
    return this.#slab.bytes
  }

  /** Makes room for `bytes` more in the owner's run. What another one held is sent first. */
  reserve(owner: VisitorResponse, bytes: number): void {
    if (this.owner !== owner) {
      this.flush()
      this.owner = owner
    }
    if (this.buffer.length - this.at >= bytes) return
    this.flush()
    this.owner = owner
    if (this.buffer.length - this.at >= bytes) return
    this.#slab.release()
    this.#slab = this.#slabs.take()
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
    const bytes = this.#run()
    this.owner = undefined
    if (bytes.length > 0) owner.sendHeld(bytes, this.#slab)
    // What has gone leaves its place to the next.
    if (!this.#slab.busy) this.at = 0
    this.#start = this.at
  }

  #run(): Buffer {
    const slab = this.#slab
    if (this.#start > 0) return slab.bytes.subarray(this.#start, this.at)
    if (this.#view.length !== this.at || this.#viewed !== slab) {
      this.#view = slab.bytes.subarray(0, this.at)
      this.#viewed = slab
    }
    return this.#view
  }
}
