import { HeadScanner, chunkSizeLine, trailerFault, type BodyKind, type Slab } from '@sluice/wire'

import type { ExchangeStream } from '../policy/paced-stream.ts'
import type { HeldWrite } from './held-write.ts'
import { responseHeadRoomBytes, writeResponse } from './response-head.ts'
import type { VisitorSocket } from './visitor-socket.ts'

const chunkRoomBytes = 16
const newline = Buffer.from('\r\n')
const none: Buffer = Buffer.alloc(0)
/** How every response begins. */
const headProbe = Buffer.from('HTTP/1.1 ')
/** A zero in front of the size of the next chunk changes nothing, not even of the last. */
const chunkProbe = Buffer.from('0')

interface Undrained {
  readonly stream: ExchangeStream
  bytes: number
}

/** The way to one visitor: frames response bodies and returns credit once the socket has drained. */
export class VisitorResponse {
  readonly #socket: VisitorSocket
  readonly #held: HeldWrite
  /** Oldest first; several only when a visitor pipelines. */
  #undrained: Undrained[] = []
  #stream: ExchangeStream | undefined
  #heldBodyBytes = 0
  #chunked = false
  #kind: BodyKind = 'none'
  #remaining = 0
  /** Bytes of the next head that went out early. */
  #earlyBytes = 0
  bodyBytes = 0

  constructor(socket: VisitorSocket, held: HeldWrite) {
    this.#socket = socket
    this.#held = held
    socket.on('drain', () => this.#onDrain())
  }

  /** Whether the visitor is behind with reading. */
  get blocked(): boolean {
    return this.#undrained.length > 0 || this.#socket.writableNeedDrain
  }

  get closeDelimited(): boolean {
    return this.#kind === 'close' && !this.#chunked
  }

  /** Starts the final response, or passes an interim one. */
  head(
    stream: ExchangeStream,
    response: Parameters<typeof writeResponse>[2],
    contentLength: number,
  ): void {
    const held = this.#held
    // What an exchange before this one still holds belongs to another stream.
    if (held.owner === this) held.flush()
    this.#stream = stream
    this.#kind = response.kind
    this.#chunked = response.chunked
    this.#remaining = contentLength
    this.bodyBytes = 0
    const added = response.changes?.added.length ?? 0
    held.reserve(this, response.end + responseHeadRoomBytes + added)
    held.at = writeResponse(held.buffer, held.at, response)
    if (this.#earlyBytes > 0) {
      held.skip(this.#earlyBytes)
      this.#earlyBytes = 0
    }
  }

  /**
   * Sends the one byte that whatever comes next begins with: a visitor who is gone answers the first with a reset, which
   * fails the second; one who has only closed its half notices nothing. False: what comes next is not known.
   */
  probe(headSent: boolean): boolean {
    // Bytes on their way ask the same question.
    if (this.blocked) return true
    if (headSent && !this.#chunked) return false
    this.flush()
    if (headSent) this.#socket.write(chunkProbe)
    else if (this.#earlyBytes < headProbe.length) {
      this.#socket.write(headProbe.subarray(this.#earlyBytes, this.#earlyBytes + 1))
      this.#earlyBytes += 1
    }
    return true
  }

  /** Sends body bytes. False: there are more than the head announced. */
  body(piece: Buffer): boolean {
    const { length } = piece
    if (length === 0) return true
    if (this.#kind === 'none') return false
    if (this.#kind === 'length') {
      if (length > this.#remaining) return false
      this.#remaining -= length
    }
    this.bodyBytes += length
    const held = this.#held
    held.reserve(this, length + chunkRoomBytes)
    if (this.#chunked) held.at += held.buffer.write(chunkSizeLine(length), held.at, 'latin1')
    held.at += piece.copy(held.buffer, held.at)
    if (this.#chunked) held.at += newline.copy(held.buffer, held.at)
    this.#heldBodyBytes += length
    return true
  }

  /** Ends the body. False: bytes are missing. */
  end(trailers: Buffer): boolean {
    if (this.#kind === 'length' && this.#remaining > 0) return false
    if (!this.#chunked) return true
    const lines = trailersThatPass(trailers)
    this.#held.reserve(this, lines.length + chunkRoomBytes)
    const { buffer } = this.#held
    this.#held.at += buffer.write('0\r\n', this.#held.at, 'latin1')
    this.#held.at += lines.copy(buffer, this.#held.at)
    this.#held.at += newline.copy(buffer, this.#held.at)
    return true
  }

  /** Sends bytes of an upgraded connection. */
  raw(stream: ExchangeStream, piece: Buffer): void {
    const held = this.#held
    held.reserve(this, piece.length)
    held.at += piece.copy(held.buffer, held.at)
    this.#stream = stream
    this.#heldBodyBytes += piece.length
    this.bodyBytes += piece.length
  }

  /** Sends a whole response of the relay itself. */
  own(response: Buffer): void {
    this.flush()
    this.#socket.write(response.subarray(this.#earlyBytes))
    this.#earlyBytes = 0
  }

  flush(): void {
    if (this.#held.owner === this) this.#held.flush()
  }

  /** Called back by `HeldWrite`. */
  sendHeld(bytes: Buffer, slab: Slab): void {
    const socket = this.#socket
    const body = this.#heldBodyBytes
    this.#heldBodyBytes = 0
    let taken: boolean
    if (socket.send) taken = socket.send(bytes, slab)
    else {
      // It keeps the bytes and does not say how long: the slab is not used again.
      slab.hold()
      taken = socket.write(bytes)
    }
    if (this.#stream && body > 0) this.#sent(this.#stream, body, taken)
  }

  /** The visitor is gone: nothing more will drain. */
  drop(): void {
    if (this.#held.owner === this) this.#held.flush()
    for (const { stream } of this.#undrained) stream.release()
    this.#undrained = []
    this.#stream = undefined
  }

  #sent(stream: ExchangeStream, bytes: number, taken: boolean): void {
    if (taken && this.#undrained.length === 0) {
      stream.drained(bytes)
      return
    }
    const last = this.#undrained.at(-1)
    if (last?.stream === stream) last.bytes += bytes
    else this.#undrained.push({ stream, bytes })
  }

  #onDrain(): void {
    const drained = this.#undrained
    this.#undrained = []
    for (const { stream, bytes } of drained) stream.drained(bytes)
  }
}

/** An agent's trailers, if they are what a trailer section may be. */
function trailersThatPass(trailers: Buffer): Buffer {
  if (trailers.length === 0) return none
  const scanner = new HeadScanner()
  const section = Buffer.concat([trailers, newline])
  if (scanner.scanFields(section, 0, section.length) !== section.length) return none
  return trailerFault(scanner, section) === undefined ? trailers : none
}
