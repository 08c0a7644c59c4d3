import { FairSender } from './fair-sender.ts'
import { frameFlag, frameType } from './frame.ts'
import { frameBytesMax } from './limits.ts'
import { encodeCredit, encodeMessage, type Details } from './message.ts'
import { Outbox } from './outbox.ts'
import { ReceivedCredit } from './received-credit.ts'
import type { SessionIo, SessionWindows } from './session-io.ts'
import { SlabPool, readBytes } from './socket/slab.ts'
import { StreamTable } from './stream-table.ts'
import type { KeptBytes, StreamCarrier, TunnelStream } from './stream.ts'

const none = Buffer.alloc(0)

/** What the streams of a session share: their ids, the way out, the peer's credit, and ours to return. */
export class Carrier implements StreamCarrier {
  readonly streams = new StreamTable()
  readonly outbox: Outbox
  readonly sender: FairSender
  readonly credit: ReceivedCredit
  readonly #io: SessionIo
  #chunks: SlabPool | undefined
  #nextStreamId = 1
  #reusesIds = false
  #stopped = false

  /** `fillFirst` is called once per turn, before waiting streams add their share. */
  constructor(io: SessionIo, windows: SessionWindows, fillFirst: () => void) {
    this.#io = io
    this.outbox = new Outbox(io, () => {
      fillFirst()
      return this.sender.fill()
    })
    this.sender = new FairSender(this.outbox)
    this.credit = new ReceivedCredit(io, windows, (streamId, bytes) => {
      this.outbox.control(frameType.credit, streamId, encodeCredit(bytes))
    })
  }

  freeStreamId(): number {
    // Until they begin again with 1, no id is in use twice.
    let id = this.#nextStreamId
    while (this.#reusesIds && this.streams.get(id)) id = id >= 0xffff_ffff ? 1 : id + 1
    this.#reusesIds ||= id === 0xffff_ffff
    this.#nextStreamId = id >= 0xffff_ffff ? 1 : id + 1
    return id
  }

  get open(): boolean {
    return this.outbox.open
  }

  allowance(stream: TunnelStream): number {
    return this.sender.allowance(stream)
  }

  frame(
    typeAndFlags: number,
    stream: TunnelStream,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if ((typeAndFlags & 0x0f) === frameType.data) this.sender.sent(end - start)
    let at = start
    while (end - at > frameBytesMax) {
      // A part is never the last: END stays off it, and a head says that more comes.
      const type = typeAndFlags & 0x0f
      this.outbox.append(
        type === frameType.data ? type : type | frameFlag.more,
        stream.id,
        bytes,
        at,
        at + frameBytesMax,
      )
      at += frameBytesMax
    }
    this.outbox.append(typeAndFlags, stream.id, bytes, at, end)
  }

  enqueue(stream: TunnelStream): void {
    this.sender.enqueue(stream)
  }

  drained(stream: TunnelStream, bytes: number): void {
    stream.undrainedBytes -= bytes
    if (!this.#stopped) this.credit.drained(stream, bytes)
  }

  keep(bytes: Buffer): KeptBytes | undefined {
    const large = bytes.length * 2 > readBytes && bytes.length <= readBytes
    if (!large) return undefined
    this.#chunks ??= this.#io.chunks ?? new SlabPool(readBytes)
    const slab = this.#chunks.take()
    return { bytes: slab.bytes.subarray(0, bytes.copy(slab.bytes)), slab }
  }

  reset(stream: TunnelStream, code: string, details: Details): void {
    const payload = code === '' ? none : encodeMessage({ code, details })
    // In order, not as control: it must never come before its own OPEN.
    this.outbox.append(frameType.reset, stream.id, payload, 0, payload.length)
  }

  forget(stream: TunnelStream): void {
    this.streams.delete(stream)
    this.sender.forget(stream)
    this.credit.forget(stream)
  }

  stop(): void {
    this.#stopped = true
    this.sender.stop()
    this.credit.stop()
    this.outbox.stop()
  }
}
