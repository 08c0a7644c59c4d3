import { createHash } from 'node:crypto'

import { messageBytesMax } from './limits.ts'
import { ProtocolViolation } from './violation.ts'

/** Room a message header needs at most: 2 bytes, 8 of length, 4 of mask. Batches leave it free in front. */
export const messageHeadroomBytes = 14

const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const controlBytesMax = 125

/** The accept value of RFC 6455 §4.2.2 for a handshake key. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** Writes a binary message header that ends at `before` and returns where it starts. An agent masks with the key zero. */
export function writeMessageHeader(
  target: Buffer,
  before: number,
  lengthBytes: number,
  masked: boolean,
): number {
  const maskBytes = masked ? 4 : 0
  const sizeBytes = lengthBytes < 126 ? 0 : lengthBytes < 65_536 ? 2 : 8
  const start = before - maskBytes - sizeBytes - 2
  target[start] = 0x80 | opcode.binary
  target[start + 1] =
    (masked ? 0x80 : 0) | (sizeBytes === 0 ? lengthBytes : sizeBytes === 2 ? 126 : 127)
  if (sizeBytes === 2) target.writeUInt16BE(lengthBytes, start + 2)
  if (sizeBytes === 8) target.writeBigUInt64BE(BigInt(lengthBytes), start + 2)
  if (masked) target.writeUInt32BE(0, before - 4)
  return start
}

/** A close message with its code. */
export function closeMessage(code: number, masked: boolean): Buffer {
  const body = Buffer.alloc(2)
  body.writeUInt16BE(code)
  return controlMessage(opcode.close, body, masked)
}

export function pongMessage(body: Buffer, masked: boolean): Buffer {
  return controlMessage(opcode.pong, body, masked)
}

function controlMessage(code: number, body: Buffer, masked: boolean): Buffer {
  const head = [0x80 | code, (masked ? 0x80 : 0) | body.length, ...(masked ? [0, 0, 0, 0] : [])]
  return Buffer.concat([Buffer.from(head), body])
}

export interface MessageSink {
  /** Payload bytes of binary messages, as they arrive. */
  onBytes(chunk: Buffer, start: number, end: number): void
  onPing(body: Buffer): void
  onClose(code: number): void
}

/** Takes the WebSocket layer off a run of bytes, without waiting for whole messages. */
export class MessageDecoder {
  readonly #sink: MessageSink
  readonly #masked: boolean
  readonly #header = Buffer.alloc(messageHeadroomBytes)
  #headerBytes = 0
  #headerWanted = 2
  #missing = 0
  #opcode = 0
  #mask = 0
  #maskOffset = 0
  #inMessage = false
  #control = Buffer.alloc(0)

  /** `masked`: whether the peer must mask, as agents must and relays must not. */
  constructor(sink: MessageSink, masked: boolean) {
    this.#sink = sink
    this.#masked = masked
  }

  receive(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, chunk.length - at)
        this.#readBody(chunk, at, at + taken)
        at += taken
        continue
      }
      const taken = Math.min(this.#headerWanted - this.#headerBytes, chunk.length - at)
      chunk.copy(this.#header, this.#headerBytes, at, at + taken)
      at += taken
      this.#headerBytes += taken
      if (this.#headerBytes === this.#headerWanted) this.#readHeader()
    }
  }

  #readHeader(): void {
    const header = this.#header
    const size = (header[1] ?? 0) & 0x7f
    const sizeBytes = size < 126 ? 0 : size === 126 ? 2 : 8
    const wanted = 2 + sizeBytes + (this.#masked ? 4 : 0)
    if (this.#headerBytes === 2) {
      this.#checkStart(header[0] ?? 0, header[1] ?? 0, size)
      if (wanted > 2) {
        this.#headerWanted = wanted
        return
      }
    }
    const length =
      sizeBytes === 0
        ? size
        : sizeBytes === 2
          ? header.readUInt16BE(2)
          : Number(header.readBigUInt64BE(2))
    if (length > messageBytesMax) throw new ProtocolViolation(`a message of ${length} bytes`)
    this.#mask = this.#masked ? header.readUInt32BE(2 + sizeBytes) : 0
    this.#maskOffset = 0
    this.#headerBytes = 0
    this.#headerWanted = 2
    this.#missing = length
    if (length === 0) this.#endControl()
  }

  #checkStart(first: number, second: number, size: number): void {
    const code = first & 0x0f
    const final = (first & 0x80) !== 0
    if ((first & 0x70) !== 0) throw new ProtocolViolation('a reserved WebSocket bit')
    if (((second & 0x80) !== 0) !== this.#masked)
      throw new ProtocolViolation('a wrong WebSocket mask')
    if (code >= 8) {
      if (!final || size > controlBytesMax) throw new ProtocolViolation('a WebSocket control frame')
      this.#control = Buffer.alloc(0)
    } else {
      if (code > opcode.binary || code === opcode.text) {
        throw new ProtocolViolation('a WebSocket message that is not binary')
      }
      if ((code === opcode.continuation) !== this.#inMessage) {
        throw new ProtocolViolation('a WebSocket fragment out of place')
      }
      this.#inMessage = !final
    }
    this.#opcode = code
  }

  #readBody(chunk: Buffer, start: number, end: number): void {
    if (this.#mask !== 0) this.#unmask(chunk, start, end)
    this.#missing -= end - start
    if (this.#opcode < 8) {
      this.#sink.onBytes(chunk, start, end)
      return
    }
    this.#control = Buffer.concat([this.#control, chunk.subarray(start, end)])
    if (this.#missing === 0) this.#endControl()
  }

  #endControl(): void {
    const body = this.#control
    if (this.#opcode === opcode.ping) this.#sink.onPing(body)
    if (this.#opcode === opcode.close) {
      this.#sink.onClose(body.length >= 2 ? body.readUInt16BE(0) : 1005)
    }
  }

  #unmask(chunk: Buffer, start: number, end: number): void {
    let offset = this.#maskOffset
    for (let at = start; at < end; at += 1) {
      chunk[at] = (chunk[at] ?? 0) ^ ((this.#mask >>> (24 - 8 * offset)) & 0xff)
      offset = (offset + 1) & 3
    }
    this.#maskOffset = offset
  }
}
