import { writeFrameHeader } from './frame.ts'
import { frameHeaderBytes, turnBytesMax } from './limits.ts'
import { SlabPool, slabBytes, type Slab } from './socket/slab.ts'
import { messageHeadroomBytes } from './websocket.ts'

/** Room in front of a turn's heads and data for its control frames, of which there are few and small ones. */
const controlRoomBytes = 1_024
const firstFrameAt = messageHeadroomBytes + controlRoomBytes

export interface OutboxIo {
  /** Buffers shared with others; without them the outbox has its own. */
  readonly slabs?: SlabPool
  defer(callback: () => void): void
  send(parts: Buffer[], payloadBytes: number, slab: Slab | undefined): boolean
}

/** Collects the frames of one event-loop turn and sends them as one message, or as several when they are many. */
export class Outbox {
  readonly #io: OutboxIo
  /** Called once per turn before sending: the place to add what waited. True: there is more for the next turn. */
  readonly #fill: () => boolean
  readonly #slabs: SlabPool
  /** Only while there is something in it. */
  #slab: Slab | undefined
  #slabAt = 0
  #turnBytes = 0
  #control: Buffer[] = []
  #controlBytes = 0
  #deferred = false
  #linkReady = true
  #stopped = false

  constructor(io: OutboxIo, fill: () => boolean) {
    this.#io = io
    this.#fill = fill
    this.#slabs = io.slabs ?? new SlabPool()
  }

  /** Whether heads and data may be added now. */
  get open(): boolean {
    return this.#linkReady && this.#turnBytes < turnBytesMax
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
    this.#controlBytes += frame.length
    this.defer()
  }

  append(typeAndFlags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (this.#stopped) return
    const length = end - start
    if (this.#slab && slabBytes - this.#slabAt < frameHeaderBytes + length) this.flush()
    const { bytes: target } = (this.#slab ??= this.#newSlab())
    let at = writeFrameHeader(target, this.#slabAt, typeAndFlags, length, streamId)
    if (length > 0) at += bytes.copy(target, at, start, end)
    this.#slabAt = at
    this.#turnBytes += frameHeaderBytes + length
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

  /** Sends everything, whether or not the turn is over. */
  flush(): void {
    if (this.#controlBytes > controlRoomBytes) this.#sendControl()
    const slab = this.#slab ?? (this.#controlBytes > 0 ? this.#newSlab() : undefined)
    if (!slab) return
    this.#slab = undefined
    let start = firstFrameAt - this.#controlBytes
    const messageStart = start - messageHeadroomBytes
    for (const frame of this.#control) start += frame.copy(slab.bytes, start)
    if (this.#controlBytes > 0) this.#control = []
    this.#controlBytes = 0
    this.#send(slab.bytes.subarray(messageStart, this.#slabAt), slab)
    slab.release()
  }

  stop(): void {
    this.#stopped = true
    this.#control = []
    this.#slab?.release()
    this.#slab = undefined
  }

  readonly #onTurnEnd = (): void => {
    this.#deferred = false
    if (this.#stopped) return
    const more = this.#fill()
    this.flush()
    this.#turnBytes = 0
    if (more && this.#linkReady) this.defer()
  }

  #newSlab(): Slab {
    this.#slabAt = firstFrameAt
    return this.#slabs.take()
  }

  /** More control frames than the room in front of the data: they get a message of their own. */
  #sendControl(): void {
    const message = Buffer.concat([Buffer.alloc(messageHeadroomBytes), ...this.#control])
    this.#control = []
    this.#controlBytes = 0
    this.#send(message)
  }

  #send(message: Buffer, slab?: Slab): void {
    this.#linkReady = this.#io.send([message], message.length - messageHeadroomBytes, slab)
  }
}
