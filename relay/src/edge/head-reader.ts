import type { Details, ErrorCode } from '@sluice/schema/errors'
import { headBytesMax, incomplete, malformed, type HeadScanner } from '@sluice/wire'

import type { Deadlines } from './deadlines.ts'

const none: Buffer = Buffer.alloc(0)
/** Pipelined bytes kept while an exchange is under way. */
const laterBytesMax = headBytesMax

/** Whose heads are read. */
export interface HeadOwner {
  /** The next bytes are a head. */
  readonly readsHead: boolean
  serve(buffer: Buffer, start: number, end: number): void
  refuseHead(code: ErrorCode, details: Details): void
}

/** What a visitor has sent and nobody has read yet, and the heads of requests in it. */
export class HeadReader {
  readonly #scanner: HeadScanner
  readonly #deadlines: Deadlines
  readonly #owner: HeadOwner
  #pending: Buffer = none
  #reading = false

  constructor(scanner: HeadScanner, deadlines: Deadlines, owner: HeadOwner) {
    this.#scanner = scanner
    this.#deadlines = deadlines
    this.#owner = owner
  }

  get empty(): boolean {
    return this.#pending.length === 0
  }

  /** A head that was read is being served right now: whoever serves it comes back here. */
  get reading(): boolean {
    return this.#reading
  }

  /** Takes in bytes of a head. */
  add(chunk: Buffer): void {
    if (this.#pending.length === 0) {
      this.#pending = chunk
      this.read()
      return
    }
    this.#pending = Buffer.concat([this.#pending, chunk])
    // Without a line end the scan would find nothing new.
    if (chunk.includes(0x0a) || this.#pending.length > headBytesMax) this.read()
  }

  /** Keeps bytes that come too early. False: no more of them. */
  keep(bytes: Buffer): boolean {
    if (bytes.length === 0) return true
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    return this.#pending.length <= laterBytesMax
  }

  /** The chunk is the socket's again: what is kept of it is copied. */
  letGoOf(chunk: Buffer): void {
    if (this.#pending.length > 0 && this.#pending.buffer === chunk.buffer) {
      this.#pending = Buffer.from(this.#pending)
    }
  }

  take(): Buffer {
    const pending = this.#pending
    this.#pending = none
    return pending
  }

  /** Serves one request after the other, as long as their owner reads heads. */
  read(): void {
    if (this.#reading) return
    this.#reading = true
    while (this.#owner.readsHead && this.#pending.length > 0 && this.#readOne());
    this.#reading = false
  }

  /** False: more bytes are needed. */
  #readOne(): boolean {
    const scanner = this.#scanner
    const buffer = this.#pending
    // RFC 9112 §2.2: one empty line before a request is overlooked.
    const start = buffer[0] === 0x0d && buffer[1] === 0x0a ? 2 : 0
    const end = scanner.scanRequest(buffer, start, buffer.length)
    const bytes = (end > 0 ? end : buffer.length) - start
    if (bytes > headBytesMax || (end === malformed && scanner.tooMany)) {
      this.#owner.refuseHead('SLUICE_REQUEST_HEAD_TOO_LARGE', { max: headBytesMax })
      return true
    }
    if (end === malformed) {
      this.#owner.refuseHead('SLUICE_REQUEST_MALFORMED', { reason: scanner.reason })
      return true
    }
    if (end === incomplete) {
      this.#deadlines.headBegan()
      return false
    }
    this.#deadlines.headEnded()
    this.#pending = end < buffer.length ? buffer.subarray(end) : none
    this.#owner.serve(buffer, start, end)
    return true
  }
}
