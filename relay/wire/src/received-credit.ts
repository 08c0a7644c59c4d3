import { floorOf } from './fair-sender.ts'
import { creditBytes, creditDelayMs, streamsMax } from './limits.ts'
import type { SessionIo, SessionWindows } from './session-io.ts'
import type { TunnelStream } from './stream.ts'
import { ProtocolViolation } from './violation.ts'

/** What is owed to the peer for the DATA it sent: credit goes back once the far socket has drained, in portions. */
export class ReceivedCredit {
  readonly #io: Pick<SessionIo, 'setTimer'>
  readonly #windows: SessionWindows
  /** Sends a CREDIT frame; stream 0 is the session. */
  readonly #send: (streamId: number, bytes: number) => void
  #unacknowledgedBytes = 0
  #owedBytes = 0
  readonly #owing = new Set<TunnelStream>()
  #cancel: (() => void) | undefined

  constructor(
    io: Pick<SessionIo, 'setTimer'>,
    windows: SessionWindows,
    send: (streamId: number, bytes: number) => void,
  ) {
    this.#io = io
    this.#windows = windows
    this.#send = send
  }

  /** DATA came in, for whichever stream. */
  received(bytes: number): void {
    this.#unacknowledgedBytes += bytes
    const { sessionWindowBytes: shared, streamWindowBytes: own } = this.#windows
    if (this.#unacknowledgedBytes > shared + streamsMax * floorOf(own)) {
      throw new ProtocolViolation('DATA beyond the session window')
    }
  }

  /** It is for this stream, which now holds it. */
  held(stream: TunnelStream, bytes: number): void {
    if (stream.remoteEnded) throw new ProtocolViolation('DATA after END')
    stream.undrainedBytes += bytes
    if (stream.undrainedBytes + stream.owedBytes > this.#windows.streamWindowBytes) {
      throw new ProtocolViolation('DATA beyond the stream window')
    }
  }

  drained(stream: TunnelStream, bytes: number): void {
    if (!stream.remoteEnded) {
      stream.owedBytes += bytes
      if (stream.owedBytes >= creditBytes) this.#returnToStream(stream)
      else this.#owing.add(stream)
    }
    this.returned(bytes)
  }

  /** Bytes that no stream holds any more: the session alone gets them back. */
  returned(bytes: number): void {
    this.#owedBytes += bytes
    if (this.#owedBytes >= creditBytes) this.#returnToSession()
    else this.#cancel ??= this.#io.setTimer(() => this.#returnAll(), creditDelayMs)
  }

  forget(stream: TunnelStream): void {
    if (this.#owing.size > 0) this.#owing.delete(stream)
  }

  stop(): void {
    this.#cancel?.()
    this.#owing.clear()
  }

  #returnAll(): void {
    this.#cancel = undefined
    for (const stream of this.#owing) this.#returnToStream(stream)
    if (this.#owedBytes > 0) this.#returnToSession()
  }

  #returnToStream(stream: TunnelStream): void {
    this.#owing.delete(stream)
    this.#send(stream.id, stream.owedBytes)
    stream.owedBytes = 0
  }

  #returnToSession(): void {
    this.#unacknowledgedBytes -= this.#owedBytes
    this.#send(0, this.#owedBytes)
    this.#owedBytes = 0
  }
}
