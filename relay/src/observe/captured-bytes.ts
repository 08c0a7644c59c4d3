/** What is kept of one body; the rest passes uncopied. */
export const capturedBodyBytesMax = 64 * 1024

/** The beginning of a body, copied as it passes: the pieces belong to the connection. */
class BodyTap {
  readonly #pieces: Buffer[] = []
  #bytes = 0
  truncated = false

  take(piece: Buffer): void {
    const room = capturedBodyBytesMax - this.#bytes
    if (piece.length > room) this.truncated = true
    if (room === 0 || piece.length === 0) return
    const copy = Buffer.from(piece.subarray(0, room))
    this.#pieces.push(copy)
    this.#bytes += copy.length
  }

  get bytes(): number {
    return this.#bytes
  }

  joined(): Buffer {
    return Buffer.concat(this.#pieces, this.#bytes)
  }
}

/** Both bodies of one exchange of a tunnel that wants them captured. */
export class CapturedBytes {
  readonly request = new BodyTap()
  readonly response = new BodyTap()

  get bytes(): number {
    return this.request.bytes + this.response.bytes
  }
}
