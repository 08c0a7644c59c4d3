import { frameBytesMax, frameHeaderBytes } from './limits.ts'
import { ProtocolViolation } from './violation.ts'

export const frameType = {
  /** Types have four bits, so this is what 16 would be. */
  datagram: 0,
  hello: 1,
  welcome: 2,
  refuse: 3,
  token: 4,
  policy: 5,
  goAway: 6,
  ping: 7,
  pong: 8,
  open: 9,
  head: 10,
  data: 11,
  end: 12,
  reset: 13,
  credit: 14,
  renew: 15,
} as const

export const frameFlag = {
  end: 0x10,
  more: 0x20,
  /** The head is the agent's own answer, not one of the upstream. */
  own: 0x40,
} as const

/** Writes a frame header and returns the offset behind it. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  typeAndFlags: number,
  lengthBytes: number,
  streamId: number,
): number {
  target[at] = typeAndFlags
  target[at + 1] = lengthBytes >>> 16
  target[at + 2] = lengthBytes >>> 8
  target[at + 3] = lengthBytes
  target[at + 4] = streamId >>> 24
  target[at + 5] = streamId >>> 16
  target[at + 6] = streamId >>> 8
  target[at + 7] = streamId
  return at + frameHeaderBytes
}

/** What a decoder hands over. Buffers belong to the link's chunk: copy what must outlive the call. */
export interface FrameSink {
  /** A piece of a DATA frame, as it arrived; `end` comes with the last piece of a frame that has the flag. */
  onData(streamId: number, piece: Buffer, end: boolean): void
  /** Any other frame, whole. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void
}

const none = Buffer.alloc(0)

/** Cuts a run of bytes into frames. DATA passes through in the pieces it came in, so nothing large is put together. */
export class FrameDecoder {
  readonly #sink: FrameSink
  readonly #header = Buffer.alloc(frameHeaderBytes)
  #headerBytes = 0
  #typeAndFlags = 0
  #streamId = 0
  /** Payload bytes still to come; −1 while a header is read. */
  #missing = -1
  #payload = none
  #payloadBytes = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  receive(chunk: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      if (this.#missing < 0) {
        at = this.#readHeader(chunk, at, end)
        if (this.#missing < 0) continue
      }
      const taken = Math.min(this.#missing, end - at)
      this.#readPayload(chunk, at, taken)
      at += taken
    }
  }

  #readHeader(chunk: Buffer, at: number, end: number): number {
    let header = chunk
    let from = at
    let after = at + frameHeaderBytes
    if (this.#headerBytes > 0 || after > end) {
      const taken = Math.min(frameHeaderBytes - this.#headerBytes, end - at)
      chunk.copy(this.#header, this.#headerBytes, at, at + taken)
      this.#headerBytes += taken
      after = at + taken
      if (this.#headerBytes < frameHeaderBytes) return after
      this.#headerBytes = 0
      header = this.#header
      from = 0
    }
    const length =
      ((header[from + 1] as number) << 16) |
      ((header[from + 2] as number) << 8) |
      (header[from + 3] as number)
    if (length > frameBytesMax) throw new ProtocolViolation(`a frame of ${length} bytes`)
    this.#typeAndFlags = header[from] ?? 0
    this.#streamId =
      (((header[from + 4] as number) << 24) |
        ((header[from + 5] as number) << 16) |
        ((header[from + 6] as number) << 8) |
        (header[from + 7] as number)) >>>
      0
    this.#missing = length
    // An empty frame has no bytes that would bring the loop to its payload.
    if (length === 0) this.#readPayload(chunk, after, 0)
    return after
  }

  #readPayload(chunk: Buffer, at: number, taken: number): void {
    const type = this.#typeAndFlags & 0x0f
    const last = taken === this.#missing
    if (type === frameType.data) {
      this.#missing = last ? -1 : this.#missing - taken
      const ended = last && (this.#typeAndFlags & frameFlag.end) !== 0
      this.#sink.onData(this.#streamId, chunk.subarray(at, at + taken), ended)
      return
    }
    if (last && this.#payloadBytes === 0) {
      this.#missing = -1
      const payload = taken === 0 ? none : chunk.subarray(at, at + taken)
      this.#sink.onFrame(type, this.#typeAndFlags & 0xf0, this.#streamId, payload)
      return
    }
    if (this.#payloadBytes === 0) this.#payload = Buffer.allocUnsafe(this.#missing)
    chunk.copy(this.#payload, this.#payloadBytes, at, at + taken)
    this.#payloadBytes += taken
    this.#missing -= taken
    if (!last) return
    const payload = this.#payload
    this.#payload = none
    this.#payloadBytes = 0
    this.#missing = -1
    this.#sink.onFrame(type, this.#typeAndFlags & 0xf0, this.#streamId, payload)
  }
}
