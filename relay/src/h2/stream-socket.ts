import { EventEmitter } from 'node:events'
import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2'

import {
  ChunkedDecoder,
  acceptOf,
  chunkSizeLine,
  incomplete,
  malformed,
  responseBody,
  watchMessageEnd,
  type HeadScanner,
} from '@sluice/wire'

import type { VisitorSocket } from '../edge/visitor-socket.ts'
import { trailerText, type RequestText } from './request-text.ts'
import { fieldsAsObject, responseFields } from './response-fields.ts'

export interface StreamSocketOptions {
  readonly stream: ServerHttp2Stream
  readonly request: RequestText
  /** For responses. Not the edge's: bytes may be written in the middle of its scan. */
  readonly scanner: HeadScanner
  readonly remoteAddress: string | undefined
}

/** What the next bytes of the response are. */
type Writing = 'head' | 'length' | 'chunked' | 'raw' | 'done'

const none: Buffer = Buffer.alloc(0)
const newline = Buffer.from('\r\n')
/** The date is the upstream's to say. */
const undated: ServerStreamResponseOptions & { readonly sendDate: false } = { sendDate: false }

/**
 * One HTTP/2 stream as the edge's kind of socket: it reads the request and writes the response as HTTP/1.1 bytes, so every
 * decision about a request is made in one place for both protocols. Pauses and drains are the stream's own.
 */
export class StreamSocket extends EventEmitter implements VisitorSocket {
  readonly http2 = true
  readonly remoteAddress: string | undefined
  bytesWritten = 0
  readonly #stream: ServerHttp2Stream
  readonly #request: RequestText
  readonly #scanner: HeadScanner
  readonly #requestWhole: () => boolean
  #requestEnded: boolean
  #trailers = ''
  #writing: Writing = 'head'
  #partialHead: Buffer = none
  #remaining = 0
  #chunked: ChunkedDecoder | undefined
  #unwritten = 0
  /** What is being written belongs to somebody else. */
  #borrowed = false
  #progressMs = 0

  constructor(options: StreamSocketOptions) {
    super()
    const { stream } = options
    this.#stream = stream
    this.#request = options.request
    this.#scanner = options.scanner
    this.remoteAddress = options.remoteAddress
    this.#requestWhole = watchMessageEnd(stream)
    this.#requestEnded = stream.endAfterHeaders
    for (const event of ['drain', 'finish']) stream.on(event, () => this.emit('drain'))
    stream.on('close', () => this.emit('close'))
  }

  /** Hands the request to whoever listens by now. */
  start(): void {
    const stream = this.#stream
    // A stream without a body is left unread: node:http2 destroys one that was read to its end as soon as it closes, in the
    // middle of its last write, and makes an error of that for nobody.
    if (!this.#requestEnded) {
      stream.on('data', (piece: Buffer) => this.#onBody(piece))
      stream.on('trailers', (_headers: unknown, _flags: number, raw: readonly string[]) => {
        this.#trailers = trailerText(raw)
      })
      stream.on('end', () => this.#onRequestEnd())
    }
    this.emit('data', this.#request.head)
  }

  /** The response went out whole. */
  get answered(): boolean {
    return this.#writing === 'done' || (this.#writing === 'raw' && this.#stream.writableEnded)
  }

  /** Since when the visitor has taken nothing of what waits for it; undefined while nothing waits. */
  get stalledSinceMs(): number | undefined {
    return this.#unwritten > 0 ? this.#progressMs : undefined
  }

  // The request

  #onBody(piece: Buffer): void {
    if (!this.#request.chunked) this.emit('data', piece)
    else if (piece.length > 0) {
      this.emit('data', Buffer.from(chunkSizeLine(piece.length), 'latin1'))
      this.emit('data', piece)
      this.emit('data', newline)
    }
  }

  #onRequestEnd(): void {
    // What broke off is told by the close that follows.
    if (!this.#requestWhole()) return
    this.#requestEnded = true
    if (this.#request.chunked)
      this.emit('data', Buffer.from(`0\r\n${this.#trailers}\r\n`, 'latin1'))
    else if (this.#request.webSocketKey !== '') this.emit('end')
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  // The response

  get writableLength(): number {
    return this.#stream.writableLength
  }

  get writableNeedDrain(): boolean {
    return this.#stream.writableNeedDrain
  }

  /** Copies of a slab what has to wait: there may be no end to that. */
  send(bytes: Buffer): boolean {
    this.#borrowed = true
    const taken = this.write(bytes)
    this.#borrowed = false
    return taken
  }

  write(bytes: Buffer): boolean {
    this.bytesWritten += bytes.length
    let at = 0
    while (at < bytes.length && at >= 0 && !this.#stream.destroyed && !this.#stream.closed) {
      at = this.#take(bytes, at)
    }
    return !this.#stream.writableNeedDrain
  }

  /** Takes the next part of the response; answers the offset behind it. */
  #take(bytes: Buffer, at: number): number {
    switch (this.#writing) {
      case 'head':
        return this.#takeHead(bytes, at)
      case 'length': {
        const taken = Math.min(this.#remaining, bytes.length - at)
        this.#remaining -= taken
        this.#send(bytes.subarray(at, at + taken))
        if (this.#remaining === 0) this.#finish()
        return at + taken
      }
      case 'chunked':
        return this.#takeChunks(bytes, at)
      case 'raw':
        this.#send(bytes.subarray(at))
        break
      case 'done':
        break
    }
    return bytes.length
  }

  #takeHead(bytes: Buffer, at: number): number {
    const before = this.#partialHead.length
    const buffer = before === 0 ? bytes : Buffer.concat([this.#partialHead, bytes.subarray(at)])
    const start = before === 0 ? at : 0
    const end = this.#scanner.scanResponse(buffer, start, buffer.length)
    if (end === incomplete) {
      this.#partialHead = Buffer.from(buffer.subarray(start))
      return bytes.length
    }
    this.#partialHead = none
    try {
      if (end === malformed) throw new Error(this.#scanner.reason)
      this.#respond(buffer)
    } catch {
      // A head that HTTP/2 cannot carry. The visitor sees a stream that failed, never another response.
      this.#fail()
      return bytes.length
    }
    return before === 0 ? end : at + end - before
  }

  #respond(buffer: Buffer): void {
    const scanner = this.#scanner
    const stream = this.#stream
    const { status } = scanner
    const { webSocketKey, toHead } = this.#request
    if (status === 101) {
      this.#acceptWebSocket(buffer)
      return
    }
    if (status < 200) {
      stream.additionalHeaders({ ':status': status, ...fieldsAsObject(scanner, buffer) })
      return
    }
    // To an extended CONNECT 2xx says that the WebSocket is open (RFC 8441 §5). It is not.
    const shown = webSocketKey !== '' && status < 300 ? 502 : status
    const body = responseBody(scanner, toHead)
    if (body.fault !== undefined) throw new Error(body.fault)
    const empty = body.kind === 'none' || status === 205
    this.#writing = empty ? 'done' : body.kind === 'length' ? 'length' : 'chunked'
    this.#remaining = scanner.contentLength
    if (this.#writing === 'chunked') {
      this.#chunked = new ChunkedDecoder(scanner)
      stream.once('wantTrailers', () => this.#sendTrailers())
    }
    stream.respond(responseFields(scanner, buffer, shown), {
      ...undated,
      endStream: empty,
      waitForTrailers: this.#chunked !== undefined,
    })
  }

  #acceptWebSocket(buffer: Buffer): void {
    const fields = responseFields(this.#scanner, buffer, 200)
    const accept = fields.indexOf('sec-websocket-accept')
    if (fields[accept + 1] !== acceptOf(this.#request.webSocketKey)) {
      throw new Error('the WebSocket handshake was answered wrongly')
    }
    this.#writing = 'raw'
    this.#stream.respond(fields.toSpliced(accept, 2), undated)
  }

  #takeChunks(bytes: Buffer, at: number): number {
    const decoder = this.#chunked
    const after = decoder?.decode(bytes, at, bytes.length, this.#sendPart) ?? malformed
    if (after === malformed) {
      this.#fail()
      return bytes.length
    }
    if (decoder?.done) this.#finish()
    return after
  }

  readonly #sendPart = (buffer: Buffer, start: number, end: number): void => {
    this.#send(buffer.subarray(start, end))
  }

  #send(piece: Buffer): void {
    if (this.#unwritten === 0) this.#progressMs = performance.now()
    this.#unwritten += 1
    this.#stream.write(this.#borrowed ? Buffer.from(piece) : piece, this.#onWritten)
  }

  readonly #onWritten = (): void => {
    this.#unwritten -= 1
    this.#progressMs = performance.now()
  }

  #sendTrailers(): void {
    const section = Buffer.concat([this.#chunked?.trailers ?? none, newline])
    this.#scanner.scanFields(section, 0, section.length)
    if (!this.#stream.closed) this.#stream.sendTrailers(fieldsAsObject(this.#scanner, section))
  }

  #finish(): void {
    this.#writing = 'done'
    this.#stream.end()
  }

  // The end

  /** Nothing more comes from the edge. */
  end(): void {
    if (this.#writing === 'raw') this.#stream.end()
    else if (this.#writing !== 'done') this.#fail()
    // RFC 9113 §8.1: the rest of the request is not wanted.
    else if (!this.#requestEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  destroy(): void {
    if (this.#writing === 'done') this.#stream.close(constants.NGHTTP2_NO_ERROR)
    else this.#fail()
  }

  resetAndDestroy(): void {
    this.destroy()
  }

  /** The visitor leaves too many bytes untaken for too long. */
  giveUp(): void {
    this.#fail()
  }

  /** Resets the stream. Its `close` would end it first, and what is not whole must not look whole to anybody. */
  #fail(): void {
    this.#stream.destroy(new Error('the exchange broke off'))
  }

  // A stream has no segments of its own, and its connection is kept alive as one.
  setNoDelay(): void {}
  setKeepAlive(): void {}
}
