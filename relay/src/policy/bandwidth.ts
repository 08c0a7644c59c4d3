import type { SharedBucket } from './shared-bucket.ts'

/** A turn sends this part of a second's bytes at most, so that a slow limit is not one lump after another. */
const turnSeconds = 0.05
const turnBytesMin = 1_024
const turnBytesMax = 65_536
/** What a pause may save up: enough for a late timer, too little to be seen over ten seconds. */
const burstSeconds = 0.4
/** Timers that are shorter would only cost. */
const waitMsMin = 5

export function bandwidthBurst(bytesPerSecond: number): number {
  return Math.max(turnBytesMin, Math.ceil(bytesPerSecond * burstSeconds))
}

/** The bytes per second of one tunnel, both directions together: its directions take turns, and nothing is dropped. */
export class Bandwidth {
  readonly #bucket: SharedBucket
  readonly #onTurnEnd: () => void
  readonly #waiting: Pacer[] = []
  #timer: NodeJS.Timeout | undefined

  /** `onTurnEnd`: what was sent behind a wait is to be flushed. */
  constructor(bucket: SharedBucket, onTurnEnd: () => void) {
    this.#bucket = bucket
    this.#onTurnEnd = onTurnEnd
  }

  get turnBytes(): number {
    const bytes = Math.floor(this.#bucket.perSecond * turnSeconds)
    return Math.min(turnBytesMax, Math.max(turnBytesMin, bytes))
  }

  /** Whether bytes may pass at once. */
  get open(): boolean {
    return this.#waiting.length === 0 && this.#bucket.level > 0
  }

  spend(bytes: number): void {
    this.#bucket.spend(bytes)
  }

  /** Calls the pacer's `turn` once it is its turn. */
  wait(pacer: Pacer): void {
    if (!this.#waiting.includes(pacer)) this.#waiting.push(pacer)
    this.#timer ??= setTimeout(this.#turns, Math.max(waitMsMin, this.#bucket.waitMs(1)))
  }

  leave(pacer: Pacer): void {
    const index = this.#waiting.indexOf(pacer)
    if (index >= 0) this.#waiting.splice(index, 1)
  }

  /** Lets everything through: the limit is gone. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#bucket.close()
    for (const pacer of this.#waiting.splice(0)) while (pacer.turn(Infinity));
    this.#onTurnEnd()
  }

  readonly #turns = (): void => {
    this.#timer = undefined
    let rounds = this.#waiting.length
    while (rounds > 0 && this.#bucket.level > 0) {
      const pacer = this.#waiting.shift()
      if (!pacer) break
      // Round robin: who has more goes to the back.
      if (pacer.turn(this.turnBytes)) this.wait(pacer)
      else rounds -= 1
    }
    const [first] = this.#waiting
    if (first) this.wait(first)
    this.#onTurnEnd()
  }
}

interface Piece {
  bytes: Buffer
  readonly ended: boolean
}

/** One direction of one stream under a bandwidth limit: pieces wait here in order, and their source waits for them. */
export class Pacer {
  readonly #bandwidth: () => Bandwidth | undefined
  readonly #send: (piece: Buffer, ended: boolean) => boolean
  readonly #onEmpty: () => void
  readonly #pieces: Piece[] = []
  #atEnd: (() => void) | undefined
  #blocked = false

  /** `send` answers false when the far side takes no more until `resume`. `onEmpty`: everything has gone. */
  constructor(
    bandwidth: () => Bandwidth | undefined,
    send: (piece: Buffer, ended: boolean) => boolean,
    onEmpty: () => void = () => undefined,
  ) {
    this.#bandwidth = bandwidth
    this.#send = send
    this.#onEmpty = onEmpty
  }

  get waiting(): boolean {
    return this.#pieces.length > 0 || this.#atEnd !== undefined
  }

  /** Sends, or keeps for later. False: the source has to wait for `onEmpty`, or for the far side. */
  push(piece: Buffer, ended: boolean): boolean {
    const bandwidth = this.#bandwidth()
    if (!this.waiting && !this.#blocked) {
      if (!bandwidth) return this.#send(piece, ended)
      if (bandwidth.open && piece.length <= bandwidth.turnBytes) {
        bandwidth.spend(piece.length)
        return this.#pass(piece, ended)
      }
    }
    // The chunk that it is a part of is the socket's again after this call.
    this.#pieces.push({ bytes: Buffer.from(piece), ended })
    if (!this.#blocked) this.#ask()
    return false
  }

  /** Calls back once everything before has gone: at once, or when its turn has come. */
  end(callback: () => void): void {
    if (this.waiting) this.#atEnd = callback
    else callback()
  }

  /** The far side takes bytes again. */
  resume(): void {
    this.#blocked = false
    if (this.#pieces.length > 0) this.#ask()
  }

  /** Forgets what waits; answers how many bytes that were. */
  drop(): void {
    this.#pieces.length = 0
    this.#atEnd = undefined
    this.#bandwidth()?.leave(this)
  }

  /** Called by `Bandwidth`: sends up to this many bytes. True: there is more to send. */
  turn(bytesMax: number): boolean {
    const first = this.#pieces[0]
    if (!first || this.#blocked) return false
    const whole = first.bytes.length <= bytesMax
    const now = whole ? first.bytes : first.bytes.subarray(0, bytesMax)
    if (whole) this.#pieces.shift()
    else first.bytes = first.bytes.subarray(bytesMax)
    this.#bandwidth()?.spend(now.length)
    this.#pass(now, whole && first.ended)
    if (this.#pieces.length > 0) return !this.#blocked
    this.#emptied()
    return false
  }

  #ask(): void {
    const bandwidth = this.#bandwidth()
    if (bandwidth) bandwidth.wait(this)
    else while (this.turn(Infinity));
  }

  #emptied(): void {
    const atEnd = this.#atEnd
    this.#atEnd = undefined
    if (atEnd) atEnd()
    else if (!this.#blocked) this.#onEmpty()
  }

  #pass(piece: Buffer, ended: boolean): boolean {
    const taken = this.#send(piece, ended)
    if (!taken) this.#blocked = true
    return taken
  }
}
