import type { Duplex } from 'node:stream'

import { WebSocket } from 'ws'

/** RFC 6455 section 5.2: a whole text message in one frame. What a server sends is not masked. */
const wholeText = 0x81
const length16 = 126
const length64 = 127
const headerBytesMax = 10

/**
 * Sends text messages on a WebSocket. What is sent in one turn leaves in one buffer and one system call: for small
 * messages these are dearer than all the rest of the way.
 */
export class SocketWriter {
  readonly #socket: WebSocket
  readonly #transport: Duplex
  #pending: string[] = []
  #pendingBytes = 0

  /** `transport`: what the socket writes to, uncompressed. */
  constructor(socket: WebSocket, transport: Duplex) {
    this.#socket = socket
    this.#transport = transport
  }

  /** Bytes that have not left yet. */
  get bufferedBytes(): number {
    return this.#pendingBytes + this.#socket.bufferedAmount
  }

  /** Does nothing on a socket that is not open. */
  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#pendingBytes += text.length
    if (this.#pending.push(text) === 1) process.nextTick(() => this.#flush())
  }

  /** Resolves when all that was sent so far has left, or never will. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#flush(() => resolve()))
  }

  /** Closes the socket, after what was sent. */
  close(code: number, reason: string): void {
    this.#flush()
    this.#socket.close(code, reason)
  }

  #flush(done?: () => void): void {
    const texts = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (this.#socket.readyState !== WebSocket.OPEN) return done?.()
    if (texts.length > 0 || done) this.#transport.write(framesOf(texts), done)
  }
}

function framesOf(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const bytesMax = lengths.reduce((sum, length) => sum + headerBytesMax + length, 0)
  const buffer = Buffer.allocUnsafe(bytesMax)
  let at = 0
  for (const [index, text] of texts.entries()) {
    at = writeHeader(buffer, at, lengths[index] ?? 0)
    at += buffer.write(text, at)
  }
  return buffer.subarray(0, at)
}

function writeHeader(buffer: Buffer, from: number, length: number): number {
  const at = buffer.writeUInt8(wholeText, from)
  if (length < length16) return buffer.writeUInt8(length, at)
  if (length < 2 ** 16) return buffer.writeUInt16BE(length, buffer.writeUInt8(length16, at))
  return buffer.writeBigUInt64BE(BigInt(length), buffer.writeUInt8(length64, at))
}
