import { Session, closeCode, messageHeadroomBytes, type SessionEvents } from '@sluice/wire'

import type { Clock } from './clock.ts'

/** Tiny, so that all limits are met all the time: now those of a session, now that of the socket below. */
const narrow = { streamWindowBytes: 4_096, sessionWindowBytes: 6_144 }
const wide = { streamWindowBytes: 16_384, sessionWindowBytes: 24_576 }
const socketBytes = 2_000
const pieceBytesMax = 2_500
/** Slower than that, and the time in which all must be well again would be no test. */
const delayMsMax = 1_000

/** One direction: bytes arrive in order, late, and in pieces of any size; what is sent faster waits, as in a socket. */
class Lane {
  readonly #clock: Clock
  #waiting: Buffer = Buffer.alloc(0)
  #full = false
  #cancel: (() => void) | undefined
  delayMs: number
  /** Whatever is sent is lost, and nobody is told. */
  silent = false
  #ending: (() => void) | undefined
  to: Session | undefined
  from: Session | undefined

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock
    this.delayMs = delayMs
  }

  send(bytes: Buffer): boolean {
    this.#waiting = Buffer.concat([this.#waiting, bytes])
    this.#full = this.#waiting.length > socketBytes
    this.#schedule()
    return !this.#full
  }

  /** Runs once all that was sent has arrived. */
  end(arrived: () => void): void {
    this.#ending = arrived
    this.#schedule()
  }

  /** Nothing arrives any more. */
  cut(): void {
    this.#cancel?.()
    this.#waiting = Buffer.alloc(0)
    this.#ending = undefined
    this.silent = true
  }

  #schedule(): void {
    if (this.silent) return
    this.#cancel ??= this.#clock.setTimer(
      () => {
        this.#cancel = undefined
        this.#deliver()
      },
      this.delayMs * (0.5 + this.#clock.random()),
    )
  }

  #deliver(): void {
    if (this.silent) return
    const piece = this.#waiting.subarray(0, 1 + this.#clock.below(pieceBytesMax))
    this.#waiting = this.#waiting.subarray(piece.length)
    // A copy: what a session keeps of a chunk must not depend on the next one.
    if (piece.length > 0) this.to?.receive(Buffer.from(piece))
    if (this.#full && this.#waiting.length === 0) {
      this.#full = false
      this.from?.linkDrained()
    }
    if (this.#waiting.length > 0) this.#schedule()
    else if (this.#ending) {
      const arrived = this.#ending
      this.#ending = undefined
      arrived()
    }
  }
}

/** A connection between an agent and a relay, with the real session at both ends. */
export class Cable {
  readonly agent: Session
  readonly relay: Session
  readonly #up: Lane
  readonly #down: Lane

  constructor(
    clock: Clock,
    events: { agent: SessionEvents; relay: SessionEvents },
    onViolation: (role: string) => void,
  ) {
    const windows = clock.chance(0.5) ? narrow : wide
    const delayMs = 1 + clock.below(clock.chance(0.2) ? delayMsMax : 50)
    this.#up = new Lane(clock, delayMs)
    this.#down = new Lane(clock, delayMs)
    const end = (role: 'agent' | 'relay', lane: Lane): Session => {
      const io = clock.io(
        (parts) => lane.send(Buffer.concat(parts).subarray(messageHeadroomBytes)),
        (code, abrupt) => {
          if (code === closeCode.violation) onViolation(role)
          const hear = (): void => lane.to?.close(1000, 'the link was closed', true)
          // A cable that is cut says so by a reset, after the same delay.
          if (abrupt) clock.setTimer(() => lane.silent || hear(), lane.delayMs)
          else lane.end(hear)
        },
      )
      return new Session(role, io, events[role], windows)
    }
    this.agent = end('agent', this.#up)
    this.relay = end('relay', this.#down)
    this.#up.from = this.agent
    this.#up.to = this.relay
    this.#down.from = this.relay
    this.#down.to = this.agent
  }

  /** Both ends hear that the connection is gone. */
  break(): void {
    this.mute(true, true)
    this.agent.close(1000, 'the link was closed', true)
    this.relay.close(1000, 'the link was closed', true)
  }

  /** Bytes vanish, and nobody is told. */
  mute(up: boolean, down: boolean): void {
    if (up) this.#up.cut()
    if (down) this.#down.cut()
  }

  /** From now on it takes longer. */
  slow(factor: number): void {
    for (const lane of [this.#up, this.#down]) {
      lane.delayMs = Math.min(delayMsMax, lane.delayMs * factor)
    }
  }
}
