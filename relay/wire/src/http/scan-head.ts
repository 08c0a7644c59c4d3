import { headerFieldsMax } from '../limits.ts'
import { field, fieldOf, isWord } from './field.ts'

/** Answers of a scan beside the offset behind the head. */
export const incomplete = 0
export const malformed = -1

const CR = 0x0d
const LF = 0x0a
const SP = 0x20
const HTAB = 0x09
const COLON = 0x3a
const DEL = 0x7f

const plainToken = 1
/** It stands in a name, but some servers read it as a hyphen. */
const foldedToken = 3

const tokenByte = new Uint8Array(256)
for (const byte of Buffer.from("!#$%&'*+-.^`|~0123456789")) tokenByte[byte] = plainToken
for (let byte = 0x41; byte <= 0x5a; byte += 1) {
  tokenByte[byte] = plainToken
  tokenByte[byte | 0x20] = plainToken
}
tokenByte['_'.charCodeAt(0)] = foldedToken

const targetByte = new Uint8Array(256).fill(1, 0x21, 0x7f)
// A fragment never travels; servers disagree on what to make of one.
targetByte[0x23] = 0

const methodBytesMax = 32

/**
 * Reads the head of an HTTP/1.x request or response strictly (RFC 9112): what two parsers could read in two ways is
 * malformed. One scanner serves many heads: what it found holds until the next scan.
 */
export class HeadScanner {
  /** Why the last scan answered `malformed`. */
  reason = ''
  /** The head is well formed so far, but has more fields than allowed. */
  tooMany = false

  count = 0
  readonly nameStart = new Int32Array(headerFieldsMax)
  readonly nameEnd = new Int32Array(headerFieldsMax)
  readonly valueStart = new Int32Array(headerFieldsMax)
  readonly valueEnd = new Int32Array(headerFieldsMax)
  readonly kind = new Uint8Array(headerFieldsMax)

  methodEnd = 0
  targetStart = 0
  targetEnd = 0
  status = 0
  reasonStart = 0
  reasonEnd = 0
  minorVersion = 1
  /** Where the first field line starts. */
  fieldsStart = 0

  /** −1: none. */
  contentLength = -1
  chunked = false
  hostIndex = -1
  upgradeIndex = -1
  expectIndex = -1
  authorizationIndex = -1
  acceptIndex = -1
  connectionClose = false
  connectionKeepAlive = false
  connectionUpgrade = false
  teTrailers = false
  /** A name means one thing to us and another to a server that reads `_` as `-`. */
  folds = false
  /** Fields named by Connection, in lower case; rare. */
  connectionNames: string[] = noNames

  scanRequest(buffer: Buffer, start: number, end: number): number {
    this.#clear()
    let at = start
    while (at < end && tokenByte[buffer[at] as number] !== 0) at += 1
    if (at - start > methodBytesMax) return this.#fail('the method is too long')
    if (at === end) return incomplete
    if (at === start || buffer[at] !== SP) return this.#fail('the request line is broken')
    this.methodEnd = at
    at += 1
    this.targetStart = at
    while (at < end && targetByte[buffer[at] as number] === 1) at += 1
    if (at === end) return incomplete
    if (at === this.targetStart || buffer[at] !== SP) {
      return this.#fail('the request target has a forbidden character')
    }
    this.targetEnd = at
    at = this.#version(buffer, at + 1, end)
    if (at <= 0) return at
    if (buffer[at] !== CR) return at >= end ? incomplete : this.#fail('the request line is broken')
    if (at + 1 >= end) return incomplete
    if (buffer[at + 1] !== LF) return this.#fail('a bare CR')
    return this.#fields(buffer, at + 2, end)
  }

  scanResponse(buffer: Buffer, start: number, end: number): number {
    this.#clear()
    let at = this.#version(buffer, start, end)
    if (at <= 0) return at
    if (at + 4 >= end) return incomplete
    if (buffer[at] !== SP) return this.#fail('the status line is broken')
    this.status = statusOf(buffer, at + 1)
    if (this.status < 100 || this.status > 599) return this.#fail('the status is not a number')
    at += 4
    if (buffer[at] === SP) at += 1
    else if (buffer[at] !== CR) return this.#fail('the status line is broken')
    this.reasonStart = at
    at = valueEndOf(buffer, at, end)
    if (at + 1 >= end) return incomplete
    if (buffer[at] !== CR || buffer[at + 1] !== LF) return this.#fail('the status line is broken')
    this.reasonEnd = at
    return this.#fields(buffer, at + 2, end)
  }

  /** Reads field lines up to the empty line: a trailer section. */
  scanFields(buffer: Buffer, start: number, end: number): number {
    this.#clear()
    return this.#fields(buffer, start, end)
  }

  nameOf(buffer: Buffer, index: number): string {
    return buffer.toString('latin1', this.nameStart[index], this.nameEnd[index])
  }

  /** Whether the field has this name, given in lower case and of letters, digits and hyphens. */
  isNamed(buffer: Buffer, index: number, lower: Buffer): boolean {
    const start = this.nameStart[index] as number
    return isWord(buffer, start, this.nameEnd[index] as number, lower)
  }

  valueOf(buffer: Buffer, index: number): string {
    return buffer.toString('latin1', this.valueStart[index], this.valueEnd[index])
  }

  #clear(): void {
    this.count = 0
    this.tooMany = false
    this.contentLength = -1
    this.chunked = false
    this.hostIndex = -1
    this.upgradeIndex = -1
    this.expectIndex = -1
    this.authorizationIndex = -1
    this.acceptIndex = -1
    this.connectionClose = false
    this.connectionKeepAlive = false
    this.connectionUpgrade = false
    this.teTrailers = false
    this.folds = false
    this.connectionNames = noNames
  }

  #fail(reason: string): typeof malformed {
    this.reason = reason
    return malformed
  }

  /** Reads `HTTP/1.0` or `HTTP/1.1`; answers the offset behind it. */
  #version(buffer: Buffer, start: number, end: number): number {
    const wanted = Math.min(end - start, versionBytes.length)
    for (let i = 0; i < wanted; i += 1) {
      if (buffer[start + i] !== versionBytes[i])
        return this.#fail('the HTTP version is not 1.0 or 1.1')
    }
    const at = start + versionBytes.length
    if (at >= end) return incomplete
    const minor = (buffer[at] as number) - 0x30
    if (minor !== 0 && minor !== 1) return this.#fail('the HTTP version is not 1.0 or 1.1')
    this.minorVersion = minor
    return at + 1
  }

  #fields(buffer: Buffer, start: number, end: number): number {
    this.fieldsStart = start
    let at = start
    for (;;) {
      if (at >= end) return incomplete
      let byte = buffer[at] as number
      if (byte === CR) {
        if (at + 1 >= end) return incomplete
        return buffer[at + 1] === LF ? at + 2 : this.#fail('a bare CR')
      }
      if (this.count === headerFieldsMax) {
        this.tooMany = true
        return this.#fail('too many header fields')
      }
      const nameStart = at
      let tokens = 0
      for (let token = tokenByte[byte] as number; token !== 0;) {
        tokens |= token
        at += 1
        if (at >= end) return incomplete
        byte = buffer[at] as number
        token = tokenByte[byte] as number
      }
      if (byte !== COLON || at === nameStart) return this.#failName(byte, at === nameStart)
      const nameEnd = at
      at += 1
      while (at < end && (buffer[at] === SP || buffer[at] === HTAB)) at += 1
      const valueStart = at
      at = valueEndOf(buffer, at, end)
      if (at >= end) return incomplete
      if (buffer[at] !== CR) return this.#fail('a header value has a control character')
      if (at + 1 >= end) return incomplete
      if (buffer[at + 1] !== LF) return this.#fail('a bare CR')
      let valueEnd = at
      while (valueEnd > valueStart && isBlank(buffer[valueEnd - 1] as number)) valueEnd -= 1
      at += 2

      const index = this.count
      this.nameStart[index] = nameStart
      this.nameEnd[index] = nameEnd
      this.valueStart[index] = valueStart
      this.valueEnd[index] = valueEnd
      const kind = fieldOf(buffer, nameStart, nameEnd, tokens === foldedToken)
      this.kind[index] = kind
      this.count = index + 1
      if (kind !== field.plain && !this.#note(buffer, index, kind)) return malformed
    }
  }

  #failName(byte: number, atStart: boolean): typeof malformed {
    if (atStart && isBlank(byte)) return this.#fail('a folded header line')
    if (isBlank(byte)) return this.#fail('a space before the colon of a header')
    return this.#fail(byte === LF ? 'a bare LF' : 'a header name has a forbidden character')
  }

  /** Takes in a field that means something to a hop. False: it makes the head malformed. */
  #note(buffer: Buffer, index: number, kind: number): boolean {
    const start = this.valueStart[index] as number
    const end = this.valueEnd[index] as number
    switch (kind) {
      case field.host:
        if (this.hostIndex >= 0) return this.#refuse('two Host headers')
        this.hostIndex = index
        return true
      case field.contentLength: {
        if (this.contentLength >= 0) return this.#refuse('two Content-Length headers')
        if (hasTabBehind(buffer, end)) return this.#refuse('a tab behind Content-Length')
        const length = decimalOf(buffer, start, end)
        if (length < 0) return this.#refuse('Content-Length is not a number')
        this.contentLength = length
        return this.chunked ? this.#refuse('Content-Length beside Transfer-Encoding') : true
      }
      case field.transferEncoding:
        if (this.chunked) return this.#refuse('two Transfer-Encoding headers')
        if (hasTabBehind(buffer, end)) return this.#refuse('a tab behind Transfer-Encoding')
        if (!isWord(buffer, start, end, chunkedWord)) {
          return this.#refuse('Transfer-Encoding is not chunked')
        }
        this.chunked = true
        return this.contentLength >= 0
          ? this.#refuse('Content-Length beside Transfer-Encoding')
          : true
      case field.connection:
        // Nearly all say one of the two.
        if (isWord(buffer, start, end, keepAliveWord)) this.connectionKeepAlive = true
        else if (isWord(buffer, start, end, closeWord)) this.connectionClose = true
        else this.#noteConnection(buffer.toString('latin1', start, end).toLowerCase())
        return true
      case field.upgrade:
        this.upgradeIndex = this.upgradeIndex < 0 ? index : this.upgradeIndex
        return true
      case field.expect:
        if (this.expectIndex >= 0) return this.#refuse('two Expect headers')
        this.expectIndex = index
        return true
      case field.authorization:
        if (this.authorizationIndex >= 0) return this.#refuse('two Authorization headers')
        this.authorizationIndex = index
        return true
      case field.accept:
        this.acceptIndex = index
        return true
      case field.te:
        if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(buffer.toString('latin1', start, end)))
          this.teTrailers = true
        return true
      case field.folded:
        this.folds = true
        return true
      default:
        return true
    }
  }

  #noteConnection(value: string): void {
    for (const part of value.split(',')) {
      const name = part.trim()
      if (name === 'close') this.connectionClose = true
      else if (name === 'keep-alive') this.connectionKeepAlive = true
      else if (name === 'upgrade') this.connectionUpgrade = true
      else if (name !== '') this.connectionNames = [...this.connectionNames, name]
    }
  }

  #refuse(reason: string): false {
    this.reason = reason
    return false
  }
}

const noNames: string[] = []
const versionBytes = Buffer.from('HTTP/1.')
const keepAliveWord = Buffer.from('keep-alive')
const closeWord = Buffer.from('close')
const chunkedWord = Buffer.from('chunked')

export function isTokenByte(byte: number): boolean {
  return tokenByte[byte] !== 0
}

/** Whether it may stand in a field value. */
export function isValueByte(byte: number): boolean {
  return byte < SP ? byte === HTAB : byte !== DEL
}

/** Behind the bytes that may stand in a value. */
function valueEndOf(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && isValueByte(buffer[at] as number)) at += 1
  return at
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB
}

/** Some parsers take a tab in front of the line's end for a part of the value, and see another framing. */
function hasTabBehind(buffer: Buffer, valueEnd: number): boolean {
  let at = valueEnd
  while (buffer[at] === SP) at += 1
  return buffer[at] === HTAB
}

function statusOf(buffer: Buffer, at: number): number {
  const hundreds = (buffer[at] as number) - 0x30
  const tens = (buffer[at + 1] as number) - 0x30
  const ones = (buffer[at + 2] as number) - 0x30
  if (hundreds < 0 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1
  return hundreds * 100 + tens * 10 + ones
}

/** A whole number of at most 15 digits, or −1. */
function decimalOf(buffer: Buffer, start: number, end: number): number {
  if (end === start || end - start > 15) return -1
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = (buffer[at] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
