import { trailerBytesMax } from '../limits.ts'
import { field } from './field.ts'
import { incomplete, malformed, type HeadScanner } from './scan-head.ts'

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b
const sizeDigitsMax = 13
const extensionBytesMax = 1_024
const none = Buffer.alloc(0)

const hexValue = new Int8Array(256).fill(-1)
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  hexValue[digit.charCodeAt(0)] = value
  hexValue[digit.toUpperCase().charCodeAt(0)] = value
}

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done'

/** Takes the chunked transfer coding off a body, strictly: CRLF only, no space around sizes, bounded extensions and trailers. */
export class ChunkedDecoder {
  readonly #scanner: HeadScanner
  #state: State = 'size'
  #size = 0
  #digits = 0
  #extensionBytes = 0
  #trailerBytes = none
  /** The trailer section without its empty line, once `done`. */
  trailers = none
  reason = ''

  constructor(scanner: HeadScanner) {
    this.#scanner = scanner
  }

  get done(): boolean {
    return this.#state === 'done'
  }

  /** Hands over body bytes as they stand in the buffer. Answers the offset behind what belongs to the body, or `malformed`. */
  decode(
    buffer: Buffer,
    start: number,
    end: number,
    onBody: (buffer: Buffer, start: number, end: number) => void,
  ): number {
    let at = start
    while (at < end && this.#state !== 'done') {
      if (this.#state === 'data') {
        const taken = Math.min(this.#size, end - at)
        onBody(buffer, at, at + taken)
        this.#size -= taken
        at += taken
        if (this.#size === 0) this.#state = 'data-cr'
      } else if (this.#state === 'trailers') {
        at = this.#readTrailers(buffer, at, end)
        if (at < 0) return malformed
      } else {
        if (!this.#step(buffer[at] as number)) return malformed
        at += 1
      }
    }
    return at
  }

  #step(byte: number): boolean {
    switch (this.#state) {
      case 'size':
        return this.#stepSize(byte)
      case 'extension':
        if (byte === CR) return this.#to('size-lf')
        this.#extensionBytes += 1
        if (byte < 0x20 && byte !== 0x09)
          return this.#refuse('a control character in a chunk extension')
        if (byte === 0x7f) return this.#refuse('a control character in a chunk extension')
        if (this.#extensionBytes > extensionBytesMax) return this.#refuse('a long chunk extension')
        return true
      case 'size-lf':
        if (byte !== LF) return this.#refuse('a chunk size line without CRLF')
        return this.#to(this.#size === 0 ? 'trailers' : 'data')
      case 'data-cr':
        return byte === CR
          ? this.#to('data-lf')
          : this.#refuse('a chunk that is longer than its size')
      case 'data-lf':
        if (byte !== LF) return this.#refuse('a chunk that is longer than its size')
        this.#digits = 0
        this.#extensionBytes = 0
        return this.#to('size')
      case 'data':
      case 'trailers':
      case 'done':
        // Read elsewhere, in pieces larger than a byte.
        break
    }
    return this.#refuse('a chunk')
  }

  #stepSize(byte: number): boolean {
    const value = hexValue[byte] as number
    if (value >= 0) {
      if (this.#digits === sizeDigitsMax) return this.#refuse('a chunk size that is too large')
      this.#size = this.#digits === 0 ? value : this.#size * 16 + value
      this.#digits += 1
      return true
    }
    if (this.#digits === 0) return this.#refuse('a chunk size that is not a number')
    if (byte === CR) return this.#to('size-lf')
    if (byte === SEMICOLON) return this.#to('extension')
    return this.#refuse('a chunk size that is not a number')
  }

  #readTrailers(buffer: Buffer, start: number, end: number): number {
    const before = this.#trailerBytes.length
    const section =
      before === 0
        ? buffer.subarray(start, end)
        : Buffer.concat([this.#trailerBytes, buffer.subarray(start, end)])
    const after = this.#scanner.scanFields(section, 0, section.length)
    if (after === malformed) return this.#refuseAt(this.#scanner.reason)
    if ((after === incomplete ? section.length : after) > trailerBytesMax) {
      return this.#refuseAt('a long trailer section')
    }
    if (after === incomplete) {
      this.#trailerBytes = Buffer.from(section)
      return end
    }
    for (let index = 0; index < this.#scanner.count; index += 1) {
      if (this.#scanner.kind[index] !== field.plain) {
        return this.#refuseAt(`the trailer ${this.#scanner.nameOf(section, index)} is forbidden`)
      }
    }
    this.trailers = Buffer.from(section.subarray(0, after - 2))
    this.#trailerBytes = none
    this.#state = 'done'
    return start + after - before
  }

  #to(state: State): true {
    this.#state = state
    return true
  }

  #refuse(reason: string): false {
    this.reason = reason
    return false
  }

  #refuseAt(reason: string): typeof malformed {
    this.#refuse(reason)
    return malformed
  }
}

/** The line in front of a chunk of this many bytes. */
export function chunkSizeLine(bytes: number): string {
  return `${bytes.toString(16)}\r\n`
}
