import type { TunnelStream } from './stream.ts'

/** A table of this size is enough for most sessions; one that fills up is doubled. */
const sizeMin = 16

/**
 * The open streams of a session by id. Ids rise by one, so nearly each has a slot of its own. A `Map` that thousands of
 * streams enter and leave per second replaces its inner table again and again, each old one pointing to the next: once
 * one of them is tenured, the collector keeps the whole chain, and its short pauses become long ones.
 */
export class StreamTable {
  #slots: (TunnelStream | undefined)[] = Array.from({ length: sizeMin })
  #mask = sizeMin - 1
  /** Those whose slot another one has, which is still open. */
  readonly #others = new Map<number, TunnelStream>()
  size = 0

  get(id: number): TunnelStream | undefined {
    const stream = this.#slots[id & this.#mask]
    if (stream?.id === id) return stream
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  /** The id must not be in use. */
  add(stream: TunnelStream): void {
    this.size += 1
    if (this.size * 2 > this.#slots.length) this.#grow()
    this.#put(stream)
  }

  delete(stream: TunnelStream): void {
    const index = stream.id & this.#mask
    if (this.#slots[index] === stream) this.#slots[index] = undefined
    else if (!this.#others.delete(stream.id)) return
    this.size -= 1
  }

  /** All of them as they are now, whatever happens to the table meanwhile. */
  all(): TunnelStream[] {
    const streams = [...this.#others.values()]
    for (const stream of this.#slots) if (stream) streams.push(stream)
    return streams
  }

  #put(stream: TunnelStream): void {
    const index = stream.id & this.#mask
    if (this.#slots[index]) this.#others.set(stream.id, stream)
    else this.#slots[index] = stream
  }

  #grow(): void {
    const streams = this.all()
    this.#slots = Array.from({ length: this.#slots.length * 2 })
    this.#mask = this.#slots.length - 1
    this.#others.clear()
    for (const stream of streams) this.#put(stream)
  }
}
