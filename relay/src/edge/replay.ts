/** Body bytes kept so that a request can be sent once more. Beyond it a body goes out once only. */
const bodyBytesMax = 65_536

/** The part of an exchange's stream that takes a request body. */
interface BodySink {
  data(chunk: Buffer, ended: boolean): boolean
  end(trailers?: Buffer): void
}

/** What it takes to send a request once more, kept until the head of its response is here. */
export class Replay {
  readonly head: Buffer
  /** Doing it twice is as good as doing it once, and it has no body. */
  readonly idempotent: boolean
  attempts = 0
  /** Relays that did not serve it. */
  readonly avoid = new Set<string>()
  readonly #pieces: Buffer[] = []
  #bytes = 0
  #ended = false
  #trailers: Buffer | undefined
  /** The tunnel's policy was asked here, and let it pass. */
  admitted = false
  /** Nothing of the body is missing. */
  whole = true

  constructor(head: Buffer, hasBody: boolean) {
    this.head = head
    this.idempotent = !hasBody && /^(?:GET|HEAD|OPTIONS|PUT|DELETE|TRACE) /.test(startOf(head))
  }

  add(piece: Buffer, ended: boolean): void {
    this.#ended ||= ended
    this.#bytes += piece.length
    if (!this.whole) return
    this.whole = this.#bytes <= bodyBytesMax
    if (!this.whole) this.#pieces.length = 0
    // A copy: a piece would keep the whole chunk that it is a part of.
    else if (piece.length > 0) this.#pieces.push(Buffer.from(piece))
  }

  end(trailers: Buffer): void {
    this.#trailers = trailers
  }

  /** Sends the body as far as it has come. */
  resend(stream: BodySink): void {
    const last = this.#pieces.length - 1
    for (const [index, piece] of this.#pieces.entries()) {
      stream.data(piece, this.#ended && index === last)
    }
    if (this.#trailers) stream.end(this.#trailers)
    else if (this.#ended && last < 0) stream.end()
  }
}

function startOf(head: Buffer): string {
  return head.toString('latin1', 0, 8)
}
