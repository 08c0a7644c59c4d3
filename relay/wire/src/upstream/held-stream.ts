import type { StreamEvents, TunnelStream } from '../stream.ts'

/** How long a visitor may say nothing before the upstream is asked to speak first. */
const holdMs = 1_000
/** A check is said by then. */
const checkBytesMax = 4_096
const tlsHandshake = 0x16

/** What a visitor had said when it was let through. */
export interface Heard {
  readonly pieces: readonly Buffer[]
  readonly ended: boolean
}

/** A raw stream held back until it is known whether it is the agent's check of the way to itself, which only repeats a nonce. */
export class HeldStream implements StreamEvents {
  readonly #stream: TunnelStream
  readonly #nonces: ReadonlySet<string>
  readonly #letThrough: (heard: Heard) => void
  readonly #timer: NodeJS.Timeout
  readonly #pieces: Buffer[] = []
  #done = false

  constructor(
    stream: TunnelStream,
    nonces: ReadonlySet<string>,
    letThrough: (heard: Heard) => void,
  ) {
    this.#stream = stream
    this.#nonces = nonces
    this.#letThrough = letThrough
    this.#timer = setTimeout(() => this.#goOn(false), holdMs)
  }

  onHead(): void {}

  onData(piece: Buffer, ended: boolean): void {
    if (this.#done) {
      this.#stream.drained(piece.length)
      return
    }
    this.#pieces.push(piece)
    const said = Buffer.concat(this.#pieces)
    const text = said.toString('latin1')
    for (const nonce of this.#nonces) {
      if (text.includes(nonce)) {
        this.#answer(nonce)
        return
      }
    }
    // The nonce comes first, or somewhere in a ClientHello.
    const mayBe = said[0] === tlsHandshake || [...this.#nonces].some((one) => one.startsWith(text))
    if (ended || !mayBe || said.length >= checkBytesMax) this.#goOn(ended)
  }

  onEnd(): void {
    this.#goOn(true)
  }

  onReset(): void {
    this.#finish()
    this.#stream.release()
  }

  onResume(): void {}

  #answer(nonce: string): void {
    this.#finish()
    this.#stream.release()
    this.#stream.data(Buffer.from(nonce, 'latin1'), true)
  }

  #goOn(ended: boolean): void {
    if (this.#done) return
    this.#finish()
    this.#letThrough({ pieces: this.#pieces, ended })
  }

  #finish(): void {
    this.#done = true
    clearTimeout(this.#timer)
  }
}
