import type { Socket } from 'node:net'

import type { Details } from './message.ts'
import type { DirectSockets } from './socket/direct-socket.ts'
import type { StreamEvents, TunnelStream } from './stream.ts'
import { UpstreamBytes, type UpstreamBytesEvents } from './upstream/upstream-bytes.ts'

/** How a raw connection ended. */
export interface Spliced {
  /** A code of the catalogue when the far side said one, such as a refused upstream. */
  readonly code: string
  readonly details: Details
  /** Bytes read from the socket, and written to it. */
  readonly bytesIn: number
  readonly bytesOut: number
}

/** What a splice needs of its stream, so that something may stand between the two. */
export type SplicedStream = Pick<TunnelStream, 'data' | 'end' | 'reset' | 'release' | 'drained'>

/** Joins a socket (`allowHalfOpen`) and a raw stream: bytes, half-closes and resets pass as what they are, both ways. */
export class Splice implements StreamEvents, UpstreamBytesEvents {
  readonly borrows = true
  readonly #socket: Socket
  readonly #sockets: DirectSockets
  readonly #onClosed: (spliced: Spliced) => void
  #bytes: UpstreamBytes | undefined
  #stream: SplicedStream | undefined
  /** Given to the socket, which has not taken them yet. */
  #undrainedBytes = 0
  #closed = false
  #code = ''
  #details: Details = {}
  bytesIn = 0
  bytesOut = 0

  /** `onClosed` is called once. */
  constructor(socket: Socket, sockets: DirectSockets, onClosed: (spliced: Spliced) => void) {
    this.#socket = socket
    this.#sockets = sockets
    this.#onClosed = onClosed
  }

  /** Starts to read. `first`: bytes that were read before. */
  start(stream: SplicedStream, first?: Buffer): void {
    this.#stream = stream
    const socket = this.#socket
    const bytes = new UpstreamBytes(socket, false, this.#sockets, this)
    this.#bytes = bytes
    if (first && first.length > 0) this.onBytes(first)
    if (socket.destroyed) this.#close()
    else if (!bytes.paused) socket.resume()
  }

  /** Ends both sides at once, with a code for the far side. */
  reset(code = '', details: Details = {}): void {
    this.#stream?.reset(code, details)
    this.#cut(code, details)
  }

  // The stream

  onHead(): void {}

  onData(piece: Buffer, ended: boolean): void {
    if (piece.length > 0) {
      this.bytesOut += piece.length
      const taken = this.#bytes?.write(piece)
      if (taken && this.#undrainedBytes === 0) this.#stream?.drained(piece.length)
      else this.#undrainedBytes += piece.length
    }
    if (ended) this.onEnd()
  }

  onEnd(): void {
    this.#socket.end()
  }

  onReset(code: string, details: Details): void {
    this.#cut(code, details)
  }

  onResume(): void {
    this.#bytes?.resume()
  }

  // The socket

  onConnect(): void {}

  onBytes(chunk: Buffer): void {
    this.bytesIn += chunk.length
    if (this.#stream?.data(chunk, false) === false) this.#bytes?.pause()
  }

  onDrain(): void {
    const bytes = this.#undrainedBytes
    this.#undrainedBytes = 0
    this.#stream?.drained(bytes)
  }

  onUpstreamEnd(): void {
    this.#stream?.end()
  }

  onGone(): void {
    this.#close()
  }

  #cut(code: string, details: Details): void {
    this.#code ||= code
    this.#details = details
    // One that is still connecting has nobody to send a reset to.
    if (this.#socket.connecting || !this.#bytes) this.#socket.destroy()
    else this.#bytes.reset()
    this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    const stream = this.#stream
    const { readableEnded, writableFinished } = this.#socket
    // After two half-closes the stream may still have bytes of ours to send; anything else broke off.
    if (!readableEnded || !writableFinished) stream?.reset(this.#code, this.#details)
    stream?.release()
    this.#onClosed({
      code: this.#code,
      details: this.#details,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
    })
  }
}
