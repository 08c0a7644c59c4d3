/** Room for one frame of the largest size and its headers, and for as much again of smaller ones. */
export const slabBytes = 139_264
/** What one read brings at most. */
export const readBytes = 65_536
/** Slabs kept for the next who needs one. More are in use at once only while peers are slow to read. */
const freeMax = 64

/** A buffer that messages are built in. It is used again once its owner and every write that still needs it let go. */
export class Slab {
  readonly bytes: Buffer
  readonly #pool: SlabPool
  /** The owner, and writes that the kernel has not taken whole. */
  #holders = 0

  constructor(pool: SlabPool, bytes: number) {
    this.#pool = pool
    this.bytes = Buffer.allocUnsafeSlow(bytes)
  }

  /** Whether some write still reads from it: only what lies behind may be written to. */
  get busy(): boolean {
    return this.#holders > 1
  }

  hold(): void {
    this.#holders += 1
  }

  release(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.#pool.give(this)
  }
}

/** Slabs of one process, used over and over: memory that follows what is under way, not what has passed. */
export class SlabPool {
  readonly #free: Slab[] = []
  readonly #bytes: number

  constructor(bytes: number = slabBytes) {
    this.#bytes = bytes
  }

  /** The taker holds it, and releases it once. */
  take(): Slab {
    const slab = this.#free.pop() ?? new Slab(this, this.#bytes)
    slab.hold()
    return slab
  }

  give(slab: Slab): void {
    if (this.#free.length < freeMax) this.#free.push(slab)
  }
}
