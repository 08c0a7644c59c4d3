import { streamFloorBytesMax } from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { SessionWindows } from './session-io.ts'
import type { TunnelStream } from './stream.ts'
import { ProtocolViolation } from './violation.ts'

/** Who may send, and how much: the peer's credit, shared so that stuck streams cannot take what others need. */
export class FairSender {
  readonly #outbox: Pick<Outbox, 'open' | 'defer'>
  #peerStreamWindowBytes = 0
  #peerSessionWindowBytes = 0
  #sendCredit = 0
  readonly #ready = new Set<TunnelStream>()
  /** Have something to send, but no credit for it. */
  readonly #starved = new Set<TunnelStream>()

  constructor(outbox: Pick<Outbox, 'open' | 'defer'>) {
    this.#outbox = outbox
  }

  get creditReturned(): boolean {
    return this.#sendCredit === this.#peerSessionWindowBytes
  }

  /** What a new stream may send before the peer returns any of it. */
  get streamWindowBytes(): number {
    return this.#peerStreamWindowBytes
  }

  start(peer: SessionWindows): void {
    this.#peerStreamWindowBytes = peer.streamWindowBytes
    this.#peerSessionWindowBytes = peer.sessionWindowBytes
    this.#sendCredit = peer.sessionWindowBytes
  }

  allowance(stream: TunnelStream): number {
    if (!this.#outbox.open) return 0
    // No stream may have more in flight than the session has left, but the floor is everybody's: else stuck streams
    // would take what there is, and the next one would get nothing.
    const fair = this.#sendCredit - stream.inFlightBytes
    const floor = floorOf(this.#peerStreamWindowBytes) - stream.inFlightBytes
    const shared = fair > floor ? fair : floor
    const allowed = stream.sendCredit < shared ? stream.sendCredit : shared
    return allowed > 0 ? allowed : 0
  }

  sent(bytes: number): void {
    this.#sendCredit -= bytes
  }

  enqueue(stream: TunnelStream): void {
    if (this.#starved.has(stream)) return
    this.#ready.add(stream)
    this.#outbox.defer()
  }

  onStreamCredit(stream: TunnelStream, bytes: number): void {
    if (bytes > stream.inFlightBytes) throw new ProtocolViolation('credit for what was not sent')
    stream.sendCredit += bytes
    stream.inFlightBytes -= bytes
    this.#wake(stream)
  }

  onSessionCredit(bytes: number): void {
    this.#sendCredit += bytes
    if (this.#sendCredit > this.#peerSessionWindowBytes) {
      throw new ProtocolViolation('credit for what was not sent')
    }
    for (const stream of this.#starved) this.#wake(stream)
  }

  /** One frame from each stream in turn, while the link takes them. True: there is more. */
  fill(): boolean {
    for (const stream of this.#ready) {
      if (!this.#outbox.open) break
      this.#ready.delete(stream)
      if (stream.pump()) this.#ready.add(stream)
      // Held back by the turn or the link, it is next in line; by credit, it waits for that.
      else if (stream.queuedFrames > 0 && !stream.closed) {
        if (this.#outbox.open) this.#starved.add(stream)
        else this.#ready.add(stream)
      }
    }
    return this.#ready.size > 0
  }

  forget(stream: TunnelStream): void {
    if (this.#ready.size > 0) this.#ready.delete(stream)
    if (this.#starved.size > 0) this.#starved.delete(stream)
  }

  stop(): void {
    this.#ready.clear()
    this.#starved.clear()
  }

  #wake(stream: TunnelStream): void {
    if (!this.#starved.delete(stream)) return
    this.#ready.add(stream)
    this.#outbox.defer()
  }
}

/** What a stream may always have in flight, however little the session has left. */
export function floorOf(windowBytes: number): number {
  return Math.min(streamFloorBytesMax, windowBytes >>> 3)
}
