import { writeFrameHeader } from './frame.ts'
import { copyBytesMax, frameHeaderBytes, turnBytesMax } from './limits.ts'
import { messageHeadroomBytes } from './websocket.ts'

const slabBytes = 65_536
const none = Buffer.alloc(0)

export interface OutboxIo {
  defer(callback: () => void): void
  send(parts: Buffer[], payloadBytes: number): boolean
}

/** Collects the frames of one event-loop turn and sends them as one message, small payloads packed into one buffer. */
export class Outbox {
  readonly #io: OutboxIo
  /** Called once per turn before sending: the place to add what waited. True: there is more for the next turn. */
  readonly #fill: () => boolean
  #slab = none
  #slabAt = 0
  #runStart = 0
  #parts: Buffer[] = []
  #batchBytes = 0
  #control: Buffer[] = []
  #deferred = false
  #linkReady = true
  #stopped = false

  constructor(io: OutboxIo, fill: () => boolean) {
    this.#io = io
    this.#fill = fill
  }

  /** Whether heads and data may be added now. */
  get open(): boolean {
    return this.#linkReady && this.#batchBytes < turnBytesMax
  }

  /** Whether the link takes more than control frames. */
  get linkReady(): boolean {
    return this.#linkReady
  }

  /** Adds a frame that goes out before all heads and data of this turn, even while the link is full. */
  control(type: number, streamId: number, payload: Buffer): void {
    if (this.#stopped) return
    const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length)
    writeFrameHeader(frame, 0, type, payload.length, streamId)
    payload.copy(frame, frameHeaderBytes)
    this.#control.push(frame)
    this.defer()
  }

  append(typeAndFlags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (this.#stopped) return
    const length = end - start
    const copied = length <= copyBytesMax
    const wanted = frameHeaderBytes + (copied ? length : 0)
    const headroom = this.#batchBytes === 0 ? messageHeadroomBytes : 0
    if (this.#slab.length - this.#slabAt < wanted + headroom) this.#newSlab()
    this.#slabAt += headroom
    this.#slabAt = writeFrameHeader(this.#slab, this.#slabAt, typeAndFlags, length, streamId)
    if (copied) {
      bytes.copy(this.#slab, this.#slabAt, start, end)
      this.#slabAt += length
    } else {
      this.#closeRun()
      this.#parts.push(bytes.subarray(start, end))
    }
    this.#batchBytes += frameHeaderBytes + length
    this.defer()
  }

  /** Asks for a turn end, once. */
  defer(): void {
    if (this.#deferred || this.#stopped) return
    this.#deferred = true
    this.#io.defer(this.#onTurnEnd)
  }

  linkDrained(): void {
    this.#linkReady = true
    this.defer()
  }

  /** Gives the buffer back; a busy outbox takes a new one with its next frame. */
  rest(): void {
    if (this.#batchBytes > 0) return
    this.#slab = none
    this.#slabAt = 0
    this.#runStart = 0
  }

  flush(): void {
    this.#closeRun()
    if (this.#control.length > 0) this.#prependControl()
    if (this.#parts.length === 0) return
    const parts = this.#parts
    this.#parts = []
    this.#batchBytes = 0
    let bytes = -messageHeadroomBytes
    for (const part of parts) bytes += part.length
    this.#linkReady = this.#io.send(parts, bytes)
  }

  stop(): void {
    this.#stopped = true
    this.#parts = []
    this.#control = []
    this.#slab = none
  }

  readonly #onTurnEnd = (): void => {
    this.#deferred = false
    if (this.#stopped) return
    const more = this.#fill()
    this.flush()
    if (more && this.#linkReady) this.defer()
  }

  #newSlab(): void {
    this.#closeRun()
    this.#slab = Buffer.allocUnsafeSlow(slabBytes)
    this.#slabAt = 0
    this.#runStart = 0
  }

  #closeRun(): void {
    if (this.#slabAt > this.#runStart) {
      this.#parts.push(this.#slab.subarray(this.#runStart, this.#slabAt))
    }
    this.#runStart = this.#slabAt
  }

  #prependControl(): void {
    const control = Buffer.concat([Buffer.alloc(messageHeadroomBytes), ...this.#control])
    this.#control = []
    const first = this.#parts[0]
    if (first) this.#parts[0] = first.subarray(messageHeadroomBytes)
    this.#parts.unshift(control)
  }
}
