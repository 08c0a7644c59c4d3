import { frameFlag } from './frame.ts'
import { headBytesMax, headRoomBytes } from './limits.ts'
import { ProtocolViolation } from './violation.ts'

/** Heads are sent in one go, so a peer never has many of them half sent. */
const halfSentMax = 64

/** Puts heads together whose MORE frames are still coming. */
export class HeadParts {
  readonly #parts = new Map<number, Buffer[]>()

  /** The whole head; undefined while more of it is to come. */
  join(streamId: number, flags: number, payload: Buffer): Buffer | undefined {
    const more = (flags & frameFlag.more) !== 0
    if (!more && this.#parts.size === 0) return payload
    const parts = this.#parts.get(streamId) ?? []
    const bytes = parts.reduce((sum, part) => sum + part.length, payload.length)
    if (bytes > headBytesMax + headRoomBytes)
      throw new ProtocolViolation('a head that is too large')
    if (!more) {
      this.#parts.delete(streamId)
      return Buffer.concat([...parts, payload])
    }
    if (this.#parts.size >= halfSentMax) throw new ProtocolViolation('too many heads half sent')
    this.#parts.set(streamId, [...parts, Buffer.from(payload)])
    return undefined
  }

  clear(): void {
    this.#parts.clear()
  }
}
