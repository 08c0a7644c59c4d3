import type { StreamEvents, TunnelStream } from '@sluice/wire'

import type { Clock } from './clock.ts'

const noise = Buffer.from(
  Array.from({ length: 65_536 }, (_, at) => (at * 167 + (at >>> 7) * 13) & 0xff),
)
const bodyBytesMax = 12_000
const pieceBytesMax = 3_000
/** Until then even a reader that is stuck has read. */
export const unstuckMs = 70_000

type Mood = 'quick' | 'slow' | 'stuck'

/** One end of a stream and the socket behind it: sends a body, takes another one at its own speed. */
export class End implements StreamEvents {
  readonly #clock: Clock
  readonly #body: Buffer
  readonly #mood: Mood
  #sent = 0
  readonly #received: Buffer[] = []
  stream: TunnelStream | undefined
  heads = 0
  ended = 0
  resets = 0
  /** This end has given up. */
  aborted = false

  constructor(clock: Clock, body: Buffer) {
    this.#clock = clock
    this.#body = body
    this.#mood = clock.chance(0.6) ? 'quick' : clock.chance(0.7) ? 'slow' : 'stuck'
  }

  start(stream: TunnelStream): void {
    this.stream = stream
    this.#pour()
  }

  abort(code = ''): void {
    const { stream } = this
    if (!stream || stream.closed) return
    this.aborted = true
    stream.reset(code)
    stream.release()
  }

  /** What is wrong with this end, once the world has come to rest. `expected`: what the other one was to send. */
  fault(expected: Buffer): string | undefined {
    const received = Buffer.concat(this.#received)
    if (!received.equals(expected.subarray(0, received.length))) return 'other bytes than were sent'
    if (this.ended > 0 && received.length < expected.length)
      return 'a clean end of a body cut short'
    if (this.ended > 1 || this.resets > 1) return 'an end that came twice'
    if (this.stream && !this.stream.closed) return 'a stream left open'
    return this.ended + this.resets === 0 && !this.aborted ? 'no end at all' : undefined
  }

  /** Everything came, and nothing was reset. */
  get whole(): boolean {
    return this.ended === 1 && this.resets === 0 && !this.aborted
  }

  // StreamEvents

  onHead(): void {
    this.heads += 1
  }

  onData(piece: Buffer, ended: boolean): void {
    if (this.ended > 0 || this.resets > 0) throw new Error('bytes after the end')
    this.#checkCredit()
    this.#received.push(piece)
    if (ended) this.ended += 1
    if (this.#mood === 'quick') this.#clock.task(() => this.#drain(piece.length))
    else {
      const delayMs =
        this.#mood === 'slow'
          ? this.#clock.below(1_500)
          : Math.max(0, unstuckMs - this.#clock.nowMs)
      this.#clock.setTimer(() => this.#drain(piece.length), delayMs)
    }
  }

  onEnd(): void {
    this.ended += 1
  }

  onReset(): void {
    this.resets += 1
    this.stream?.release()
  }

  onResume(): void {
    if (this.#sent < this.#body.length) this.#clock.task(() => this.#pour())
  }

  #drain(bytes: number): void {
    // What was reset has been released as a whole.
    if (this.aborted || this.resets > 0) return
    this.stream?.drained(bytes)
  }

  #pour(): void {
    const { stream } = this
    if (!stream || stream.closed) return
    if (this.#body.length === 0) {
      stream.end()
      return
    }
    const bytes = 1 + this.#clock.below(pieceBytesMax)
    const piece = this.#body.subarray(this.#sent, this.#sent + bytes)
    if (piece.length === 0) return
    this.#sent += piece.length
    const more = this.#sent < this.#body.length
    // The end comes with the last bytes, or by itself behind whatever waits.
    const apart = !more && this.#clock.chance(0.5)
    const taken = stream.data(piece, !more && !apart)
    if (apart) stream.end()
    this.#checkCredit()
    if (!more || !taken) return
    if (this.#clock.chance(0.2)) this.#clock.setTimer(() => this.#pour(), this.#clock.below(500))
    else this.#clock.task(() => this.#pour())
  }

  #checkCredit(): void {
    const { stream } = this
    if (!stream) return
    const { sendCredit, inFlightBytes, undrainedBytes, owedBytes } = stream
    if (Math.min(sendCredit, inFlightBytes, undrainedBytes, owedBytes) < 0) {
      throw new Error('negative credit')
    }
  }
}

/** A request and its response, with bodies that look like no others. */
export class Visit {
  readonly id: number
  readonly request: Buffer
  readonly response: Buffer
  readonly visitor: End
  /** Undefined as long as OPEN has not arrived. */
  upstream: End | undefined

  constructor(clock: Clock, id: number) {
    this.id = id
    this.request = bodyOf(clock)
    this.response = bodyOf(clock)
    this.visitor = new End(clock, this.request)
  }

  fault(): string | undefined {
    const atVisitor = this.visitor.fault(this.response)
    if (atVisitor) return `the visitor of ${this.id} got ${atVisitor}`
    const atUpstream = this.upstream?.fault(this.request)
    return atUpstream && `the upstream of ${this.id} got ${atUpstream}`
  }
}

function bodyOf(clock: Clock): Buffer {
  const length = clock.chance(0.2) ? 0 : clock.below(clock.chance(0.3) ? bodyBytesMax : 800)
  const start = clock.below(noise.length - bodyBytesMax)
  return noise.subarray(start, start + length)
}
