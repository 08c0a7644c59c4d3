import { trailerBytesMax } from '../limits.ts'
import { field } from './field.ts'
import { incomplete, isTokenByte, isValueByte, malformed, type HeadScanner } from './scan-head.ts'

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const sizeDigitsMax = 13
const extensionBytesMax = 1_024
const none = Buffer.alloc(0)

const hexValue = new Int8Array(256).fill(-1)
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  hexValue[digit.charCodeAt(0)] = value
  hexValue[digit.toUpperCase().charCodeAt(0)] = value
}

/** Where in `;name=value;name="value"` a chunk extension is. */
type Extension = 'start' | 'name' | 'value-start' | 'value' | 'quoted' | 'escaped' | 'closed'
type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done'

/** Takes the chunked transfer coding off a body, strictly: CRLF only, no space around sizes, bounded extensions and trailers. */
export class ChunkedDecoder {
  readonly #scanner: HeadScanner
  #state: State = 'size'
  #size = 0
  #digits = 0
  #extension: Extension = 'start'
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
        return this.#stepExtension(byte)
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
    if (byte === SEMICOLON) {
      this.#extension = 'start'
      return this.#to('extension')
    }
    return this.#refuse('a chunk size that is not a number')
  }

  /** Extensions mean nothing to us, but where they end is where the chunk begins: so they are read by the letter. */
  #stepExtension(byte: number): boolean {
    this.#extensionBytes += 1
    if (this.#extensionBytes > extensionBytesMax) return this.#refuse('a long chunk extension')
    const next = extensionAfter(this.#extension, byte)
    if (next === undefined) return this.#refuse('a chunk extension that breaks its grammar')
    if (next === 'end') return this.#to('size-lf')
    this.#extension = next
    return true
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
    const fault = trailerFault(this.#scanner, section)
    if (fault !== undefined) return this.#refuseAt(fault)
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

/** Beside what frames, routes or authenticates a message: what says how to take it, which is too late at its end (RFC 9110 §6.5.1). */
const headOnlyNames = new Set(
  'age date expires if-match if-modified-since if-none-match if-range if-unmodified-since pragma range retry-after vary warning'.split(
    ' ',
  ),
)

/** Which of the fields just scanned must not stand in a trailer section. */
export function trailerFault(scanner: HeadScanner, section: Buffer): string | undefined {
  for (let index = 0; index < scanner.count; index += 1) {
    const name = scanner.nameOf(section, index)
    if (scanner.kind[index] !== field.plain || headOnlyNames.has(name.toLowerCase())) {
      return `the trailer ${name} is forbidden`
    }
  }
  return undefined
}

/** The line in front of a chunk of this many bytes. */
export function chunkSizeLine(bytes: number): string {
  return `${bytes.toString(16)}\r\n`
}

/** RFC 9112 §7.1.1, without the blanks that recipients were once to overlook. */
function extensionAfter(at: Extension, byte: number): Extension | 'end' | undefined {
  switch (at) {
    case 'start':
      return isTokenByte(byte) ? 'name' : undefined
    case 'name':
      if (byte === EQUALS) return 'value-start'
      return isTokenByte(byte) ? 'name' : afterValue(byte)
    case 'value-start':
      if (byte === QUOTE) return 'quoted'
      return isTokenByte(byte) ? 'value' : undefined
    case 'value':
      return isTokenByte(byte) ? 'value' : afterValue(byte)
    case 'quoted':
      if (byte === QUOTE) return 'closed'
      if (byte === BACKSLASH) return 'escaped'
      return isValueByte(byte) ? 'quoted' : undefined
    case 'escaped':
      return isValueByte(byte) ? 'quoted' : undefined
    case 'closed':
      break
  }
  return afterValue(byte)
}

function afterValue(byte: number): 'start' | 'end' | undefined {
  if (byte === SEMICOLON) return 'start'
  return byte === CR ? 'end' : undefined
}
