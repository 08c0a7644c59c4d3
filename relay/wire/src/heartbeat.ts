import { pingIntervalMs, silentIntervalsMax } from './limits.ts'

export interface HeartbeatIo {
  now(): number
  setTimer(callback: () => void, delayMs: number): () => void
}

/** Pings on an interval and notices a peer of which nothing is heard. */
export class Heartbeat {
  readonly #io: HeartbeatIo
  readonly #ping: (payload: Buffer) => void
  readonly #onSilent: () => void
  #cancel: () => void
  #heard = false
  #silentIntervals = 0
  #count = 0
  #sentAtMs = 0

  constructor(io: HeartbeatIo, ping: (payload: Buffer) => void, onSilent: () => void) {
    this.#io = io
    this.#ping = ping
    this.#onSilent = onSilent
    this.#cancel = this.#schedule()
  }

  /** Bytes came, of whatever kind. */
  hear(): void {
    this.#heard = true
  }

  ping(): void {
    this.#count = (this.#count + 1) >>> 0
    this.#sentAtMs = this.#io.now()
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(this.#count, 4)
    this.#ping(payload)
  }

  /** The round trip in milliseconds, when this answers the latest ping. */
  latencyOf(pong: Buffer): number | undefined {
    if (pong.length !== 8 || pong.readUInt32BE(4) !== this.#count) return undefined
    return this.#io.now() - this.#sentAtMs
  }

  stop(): void {
    this.#cancel()
  }

  #schedule(): () => void {
    const dueAtMs = this.#io.now() + pingIntervalMs
    return this.#io.setTimer(() => {
      const lateMs = this.#io.now() - dueAtMs
      if (this.#heard) this.#silentIntervals = 0
      // Our own loop stood still: what the peer sent meanwhile may wait unread.
      else if (lateMs < pingIntervalMs / 2) this.#silentIntervals += 1
      this.#heard = false
      if (this.#silentIntervals >= silentIntervalsMax) {
        this.#onSilent()
        return
      }
      this.ping()
      this.#cancel = this.#schedule()
    }, pingIntervalMs)
  }
}
