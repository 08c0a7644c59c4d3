import { frameFlag, frameType } from './frame.ts'
import type { Details } from './message.ts'
import type { Slab } from './socket/slab.ts'

const none = Buffer.alloc(0)

/** What the owner of a stream hears. */
export interface StreamEvents {
  /** Set by an owner that keeps no buffer beyond the call that brings it: it gets the link's own instead of a copy. */
  readonly borrows?: true
  /** `own`: the agent's own answer, in the upstream's place. */
  onHead(payload: Buffer, own: boolean): void
  /** Body bytes. Their owner calls `drained` once the far socket has taken them. `ended`: the peer's half ends here. */
  onData(piece: Buffer, ended: boolean): void
  onEnd(trailers: Buffer): void
  onReset(code: string, details: Details): void
  /** Everything queued went out: the source may be read again. */
  onResume(): void
}

/** What a stream needs of its session. A test wires two streams to each other with it. */
export interface StreamCarrier {
  /** How many DATA bytes the stream may send now; 0 while the link is full. */
  allowance(stream: TunnelStream): number
  /** Whether heads may be framed now. */
  readonly open: boolean
  frame(typeAndFlags: number, stream: TunnelStream, bytes: Buffer, start: number, end: number): void
  /** Asks for a `pump` when the link or credit allows. */
  enqueue(stream: TunnelStream): void
  drained(stream: TunnelStream, bytes: number): void
  /** A copy of bytes that have to wait, when the carrier has a place for them. */
  keep?(bytes: Buffer): KeptBytes | undefined
  reset(stream: TunnelStream, code: string, details: Details): void
  /** Both halves have ended. */
  forget(stream: TunnelStream): void
}

/** Bytes of ours; in a slab, it is released once they are not needed any more. */
export interface KeptBytes {
  readonly bytes: Buffer
  readonly slab: Slab | undefined
}

interface Queued {
  readonly type: number
  bytes: Buffer
  readonly slab: Slab | undefined
  readonly end: boolean
}

/** One proxied exchange in a session. At most a window of bytes is in flight each way; what may not go waits here, and its source is paused. */
export class TunnelStream {
  readonly id: number
  readonly #carrier: StreamCarrier
  #queue: Queued[] = emptyQueue
  events: StreamEvents
  /** DATA bytes the peer still takes. */
  sendCredit: number
  /** DATA bytes sent and not yet acknowledged. */
  inFlightBytes = 0
  /** DATA bytes received and not yet drained. */
  undrainedBytes = 0
  /** Drained, but not yet returned as credit. */
  owedBytes = 0
  /** Our end is sent, or waits behind what is queued: nothing may follow it. */
  #ending = false
  localEnded = false
  remoteEnded = false
  closed = false
  /** Ended by a reset of either side, or with its session: its owner, who may serve another stream by now, hears no more. */
  cut = false

  constructor(id: number, carrier: StreamCarrier, sendCredit: number, events: StreamEvents) {
    this.id = id
    this.#carrier = carrier
    this.sendCredit = sendCredit
    this.events = events
  }

  /** Sends OPEN or HEAD; `type` may carry the flag `own`. The bytes are the caller's again. */
  head(type: number, bytes: Buffer, start: number, end: number, ended: boolean): void {
    if (this.closed || this.#ending) return
    if (this.#queue.length === 0 && this.#carrier.open) {
      this.#carrier.frame(ended ? type | frameFlag.end : type, this, bytes, start, end)
      if (ended) this.#endLocal()
      return
    }
    this.#push(type, bytes.subarray(start, end), ended)
  }

  /** Sends body bytes, which are the caller's again. False means that the source must wait for `onResume`. */
  data(chunk: Buffer, ended: boolean): boolean {
    if (this.closed || this.#ending) return true
    if (this.#queue.length === 0) {
      const allowed = this.#carrier.allowance(this)
      if (allowed >= chunk.length) {
        this.#frameData(chunk, ended)
        return true
      }
      if (allowed > 0) this.#frameData(chunk.subarray(0, allowed), false)
      this.#push(frameType.data, chunk.subarray(allowed), ended)
      return false
    }
    this.#push(frameType.data, chunk, ended)
    return false
  }

  /** Ends our half. */
  end(trailers: Buffer = none): void {
    if (this.closed || this.#ending) return
    if (this.#queue.length > 0 || !this.#carrier.open) {
      this.#push(frameType.end, trailers, true)
      return
    }
    this.#carrier.frame(frameType.end, this, trailers, 0, trailers.length)
    this.#endLocal()
  }

  /** Ends both halves at once. What was queued is dropped. */
  reset(code = '', details: Details = {}): void {
    if (this.closed) return
    this.#carrier.reset(this, code, details)
    this.close()
  }

  /** The far socket has taken this many of the bytes that `onData` handed over. */
  drained(bytes: number): void {
    // What was released before must not be returned twice.
    const owed = bytes < this.undrainedBytes ? bytes : this.undrainedBytes
    if (owed > 0) this.#carrier.drained(this, owed)
  }

  /** The owner has dropped what it did not drain. */
  release(): void {
    this.drained(this.undrainedBytes)
  }

  get queuedFrames(): number {
    return this.#queue.length
  }

  /** Sends one frame of what waits. True: more could go at once. */
  pump(): boolean {
    const next = this.#queue[0]
    if (!next || this.closed) return false
    if (next.type === frameType.data) {
      const allowed = this.#carrier.allowance(this)
      if (allowed < next.bytes.length) {
        if (allowed > 0) {
          this.#frameData(next.bytes.subarray(0, allowed), false)
          next.bytes = next.bytes.subarray(allowed)
        }
        return false
      }
      this.#queue.shift()
      this.#frameData(next.bytes, next.end)
      next.slab?.release()
    } else {
      this.#queue.shift()
      const typeAndFlags =
        next.end && next.type !== frameType.end ? next.type | frameFlag.end : next.type
      this.#carrier.frame(typeAndFlags, this, next.bytes, 0, next.bytes.length)
      if (next.end) this.#endLocal()
    }
    if (this.#queue.length > 0) return true
    this.#queue = emptyQueue
    if (!this.closed) this.events.onResume()
    return false
  }

  endRemote(): void {
    this.remoteEnded = true
    if (this.localEnded) this.#finish()
  }

  /** Ends without a word to the peer: after RESET, and with the session. */
  close(): void {
    this.closed = true
    this.cut = true
    this.localEnded = true
    this.remoteEnded = true
    for (const { slab } of this.#queue) slab?.release()
    this.#queue = emptyQueue
    this.#carrier.forget(this)
  }

  #frameData(chunk: Buffer, ended: boolean): void {
    const typeAndFlags = ended ? frameType.data | frameFlag.end : frameType.data
    this.sendCredit -= chunk.length
    this.inFlightBytes += chunk.length
    this.#carrier.frame(typeAndFlags, this, chunk, 0, chunk.length)
    if (ended) this.#endLocal()
  }

  #endLocal(): void {
    this.#ending = true
    this.localEnded = true
    if (this.remoteEnded) this.#finish()
  }

  #finish(): void {
    this.closed = true
    this.#carrier.forget(this)
  }

  #push(type: number, waiting: Buffer, end: boolean): void {
    if (this.#queue === emptyQueue) this.#queue = []
    const kept = this.#carrier.keep?.(waiting)
    const bytes = kept?.bytes ?? Buffer.from(waiting)
    this.#queue.push({ type, bytes, slab: kept?.slab, end })
    if (end) this.#ending = true
    this.#carrier.enqueue(this)
  }
}

/** Shared by all streams with nothing to wait for, which is nearly all of them. Never written to. */
const emptyQueue: Queued[] = []
Object.freeze(emptyQueue)

/** Owns a stream that the relay has opened until `onOpen` sets its owner. */
export const unowned: StreamEvents = {
  onHead() {},
  onData() {},
  onEnd() {},
  onReset() {},
  onResume() {},
}
