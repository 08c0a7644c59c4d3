import { EventEmitter } from 'node:events'
import { constants, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2'

import { ChunkedDecoder, chunkSizeLine } from '../http/chunked.ts'
import { requestBody } from '../http/framing.ts'
import { incomplete, malformed } from '../http/scan-head.ts'
import { watchMessageEnd } from '../http2/message-end.ts'
import { acceptOf } from '../websocket.ts'
import { fieldsOf, requestHeaders, webSocketHeaders } from './http2-request.ts'
import { responseText, trailersText } from './http2-response.ts'
import type { Http2Upstream } from './http2-upstream.ts'
import type { UpstreamSocket } from './upstream-bytes.ts'

/** What the next bytes of the request are. */
type Writing = 'head' | 'length' | 'chunked' | 'raw'

const none: Buffer = Buffer.alloc(0)
const newline = Buffer.from('\r\n')

/** One exchange over HTTP/2, of which nothing is left for the next. */
interface Exchange {
  readonly headers: OutgoingHttpHeaders
  readonly toHead: boolean
  readonly webSocketKey: string
  readonly abort: AbortController
  stream: ClientHttp2Stream | undefined
  responded: boolean
  answered: boolean
  raw: boolean
  chunked: boolean
  trailers: string
  tries: number
}

/**
 * A way to an upstream that speaks HTTP/2, as the kind of socket that exchanges use: it takes requests and gives responses as
 * HTTP/1.1 bytes, each exchange a stream of its own. So the rules of an exchange are written once.
 */
export class Http2UpstreamSocket extends EventEmitter implements UpstreamSocket {
  readonly #upstream: Http2Upstream
  #writing: Writing = 'head'
  #partialHead: Buffer = none
  #remaining = 0
  #decoder: ChunkedDecoder | undefined
  #exchange: Exchange | undefined
  #waiting: Buffer[] = []
  #requestEnded = true
  #destroyed = false
  #needDrain = false
  #connected = false

  constructor(upstream: Http2Upstream) {
    super()
    this.#upstream = upstream
  }

  // The request

  get writableLength(): number {
    return this.#exchange?.stream?.writableLength ?? this.#waiting.length
  }

  write(bytes: Buffer): boolean {
    let at = 0
    while (at < bytes.length && !this.#destroyed) at = this.#take(bytes, at)
    const blocked = this.#exchange?.stream?.writableNeedDrain ?? this.#waiting.length > 0
    if (blocked) this.#needDrain = true
    return !blocked
  }

  /** Takes the next part of the request; answers the offset behind it. */
  #take(bytes: Buffer, at: number): number {
    switch (this.#writing) {
      case 'head':
        return this.#takeHead(bytes, at)
      case 'length': {
        const taken = Math.min(this.#remaining, bytes.length - at)
        this.#remaining -= taken
        this.#send(bytes.subarray(at, at + taken))
        if (this.#remaining === 0) this.#endRequest()
        return at + taken
      }
      case 'chunked': {
        const decoder = this.#decoder
        const after = decoder?.decode(bytes, at, bytes.length, this.#sendPart) ?? malformed
        if (after === malformed) {
          this.#fail(new Error('the request broke off'))
          return bytes.length
        }
        if (decoder?.done) this.#endRequest()
        return after
      }
      case 'raw':
        break
    }
    this.#send(bytes.subarray(at))
    return bytes.length
  }

  #takeHead(bytes: Buffer, at: number): number {
    const { scanner, scheme } = this.#upstream
    const before = this.#partialHead.length
    const buffer = before === 0 ? bytes : Buffer.concat([this.#partialHead, bytes.subarray(at)])
    const start = before === 0 ? at : 0
    const end = scanner.scanRequest(buffer, start, buffer.length)
    if (end === incomplete) {
      this.#partialHead = Buffer.from(buffer.subarray(start))
      return bytes.length
    }
    this.#partialHead = none
    if (end === malformed) {
      this.#fail(new Error(scanner.reason))
      return bytes.length
    }
    const upgrade = scanner.connectionUpgrade && scanner.upgradeIndex >= 0
    const webSocket =
      upgrade && scanner.valueOf(buffer, scanner.upgradeIndex).toLowerCase() === 'websocket'
    const headers = requestHeaders(scanner, buffer, start, scheme)
    const kind = requestBody(scanner)
    this.#requestEnded = kind === 'none' && !webSocket
    this.#remaining = scanner.contentLength
    this.#decoder = kind === 'chunked' ? new ChunkedDecoder(scanner) : undefined
    if (kind === 'length') this.#writing = 'length'
    else if (kind === 'chunked') this.#writing = 'chunked'
    else if (webSocket) this.#writing = 'raw'
    this.#begin(headers, webSocket ? webSocketKeyOf(headers) : '')
    return before === 0 ? end : at + end - before
  }

  #begin(headers: OutgoingHttpHeaders, webSocketKey: string): void {
    const exchange: Exchange = {
      headers,
      toHead: headers[':method'] === 'HEAD',
      webSocketKey,
      abort: new AbortController(),
      stream: undefined,
      responded: false,
      answered: false,
      raw: false,
      chunked: false,
      trailers: '',
      tries: 0,
    }
    this.#exchange = exchange
    this.#needDrain = false
    this.#waiting = []
    if (webSocketKey === '') this.#request(exchange)
    else void this.#beginWebSocket(exchange)
  }

  async #beginWebSocket(exchange: Exchange): Promise<void> {
    const taken = await this.#upstream.takesWebSockets()
    if (this.#exchange !== exchange) return
    // An upstream that knows no WebSockets over HTTP/2 gets the plain request, and says itself what it makes of it.
    if (taken) this.#request({ ...exchange, headers: webSocketHeaders(exchange.headers) })
    else {
      this.#requestEnded = true
      this.#request({ ...exchange, webSocketKey: '' })
    }
  }

  #request(exchange: Exchange): void {
    this.#exchange = exchange
    const { headers, abort } = exchange
    try {
      const request = this.#upstream.request(headers, {
        endStream: this.#requestEnded,
        waitForTrailers: this.#writing === 'chunked',
        signal: abort.signal,
      })
      exchange.stream = request.stream
      exchange.tries += 1
      this.#listen(exchange, request.stream)
      if (!this.#connected) request.onConnected(() => this.#onConnected())
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
      return
    }
    for (const piece of this.#waiting) exchange.stream.write(piece)
    this.#waiting = []
  }

  #onConnected(): void {
    if (this.#connected) return
    this.#connected = true
    this.emit(this.#upstream.scheme === 'https' ? 'secureConnect' : 'connect')
  }

  readonly #sendPart = (buffer: Buffer, start: number, end: number): void => {
    this.#send(buffer.subarray(start, end))
  }

  #send(piece: Buffer): void {
    const stream = this.#exchange?.stream
    if (!stream) this.#waiting.push(piece)
    else if (!stream.destroyed && !stream.writableEnded) stream.write(piece)
  }

  #endRequest(): void {
    this.#writing = 'head'
    this.#requestEnded = true
    const { stream } = this.#exchange ?? {}
    if (stream && !stream.destroyed) stream.end()
  }

  // The response

  #listen(exchange: Exchange, stream: ClientHttp2Stream): void {
    const whole = watchMessageEnd(stream)
    const mine = (): boolean => this.#exchange === exchange && exchange.stream === stream
    let failure: Error | undefined
    stream.on('error', (error) => {
      failure = error
    })
    stream.once('wantTrailers', () => {
      const section = Buffer.concat([this.#decoder?.trailers ?? none, newline])
      const { scanner } = this.#upstream
      scanner.scanFields(section, 0, section.length)
      if (!stream.closed) stream.sendTrailers(fieldsOf(scanner, section))
    })
    stream.on('headers', (headers, _flags, raw) => {
      if (mine()) this.#onHead(exchange, Number(headers[':status']), raw ?? [], false)
    })
    stream.on('response', (headers, flags, raw) => {
      const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      if (mine()) this.#onHead(exchange, Number(headers[':status']), raw ?? [], ended)
    })
    stream.on('data', (piece: Buffer) => {
      if (mine()) this.#onBody(exchange, piece)
    })
    stream.on('trailers', (_headers, _flags, raw) => {
      exchange.trailers = trailersText(raw ?? [])
    })
    stream.on('end', () => {
      if (mine() && whole() && exchange.responded) this.#onResponseEnd(exchange)
    })
    for (const event of ['drain', 'finish']) {
      stream.on(event, () => {
        if (mine()) this.#drain()
      })
    }
    stream.on('close', () => {
      if (mine()) this.#onClose(exchange, stream.rstCode ?? 0, failure)
    })
  }

  #onHead(exchange: Exchange, status: number, raw: readonly string[], ended: boolean): void {
    const { toHead, webSocketKey } = exchange
    if (webSocketKey !== '' && status >= 200 && status < 300) {
      const upgrade = ['connection', 'Upgrade', 'upgrade', 'websocket']
      const accept = ['sec-websocket-accept', acceptOf(webSocketKey)]
      const head = responseText(101, [...upgrade, ...accept, ...raw], false, true)?.head
      exchange.responded = true
      exchange.raw = true
      if (head) this.emit('data', head)
      return
    }
    const text = responseText(status, raw, ended, toHead)
    if (!text) {
      this.#fail(new Error('a field that HTTP/1.1 cannot carry'))
      return
    }
    if (status >= 200) {
      exchange.responded = true
      exchange.chunked = text.chunked
      // Whoever was let in is told so by 2xx; anybody else sends no WebSocket.
      if (webSocketKey !== '') exchange.stream?.end()
      exchange.answered = ended
    }
    this.emit('data', text.head)
  }

  #onBody(exchange: Exchange, piece: Buffer): void {
    if (!exchange.chunked) this.emit('data', piece)
    else if (piece.length > 0) {
      this.emit('data', Buffer.from(chunkSizeLine(piece.length), 'latin1'))
      this.emit('data', piece)
      this.emit('data', newline)
    }
  }

  #onResponseEnd(exchange: Exchange): void {
    exchange.answered = true
    if (exchange.raw) this.emit('end')
    else if (exchange.chunked)
      this.emit('data', Buffer.from(`0\r\n${exchange.trailers}\r\n`, 'latin1'))
  }

  #onClose(exchange: Exchange, code: number, failure: Error | undefined): void {
    const untouched = !exchange.responded && this.#requestEnded && this.#writing === 'head'
    const refused = code === constants.NGHTTP2_REFUSED_STREAM
    // RFC 9113 §8.7: certain to have done nothing yet. With a body it is not here any more to be sent again.
    if (
      refused &&
      untouched &&
      exchange.tries === 1 &&
      exchange.headers['content-length'] === undefined
    ) {
      this.#request(exchange)
      return
    }
    this.#exchange = undefined
    if (exchange.answered && this.#requestEnded) this.#drain()
    else if (exchange.answered) this.emit('close')
    else this.#fail(reasonOf(failure) ?? new Error(`reset with ${code}`))
  }

  #drain(): void {
    if (!this.#needDrain) return
    this.#needDrain = false
    this.emit('drain')
  }

  // The socket

  pause(): void {
    this.#exchange?.stream?.pause()
  }

  resume(): void {
    this.#exchange?.stream?.resume()
  }

  end(): void {
    this.#endRequest()
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    const { abort, stream, answered } = this.#exchange ?? {}
    // CANCEL, and nothing that looks like the end of a request.
    if (stream && !(answered && this.#requestEnded)) abort?.abort()
    this.#exchange = undefined
    this.#waiting = []
    process.nextTick(() => this.emit('close'))
  }

  #fail(error: Error): void {
    this.emit('error', error)
  }
}

function webSocketKeyOf(headers: OutgoingHttpHeaders): string {
  const key = headers['sec-websocket-key']
  return typeof key === 'string' ? key : ''
}

/** The failure in words where its code would say nothing to the service's owner. */
function reasonOf(failure: NodeJS.ErrnoException | undefined): Error | undefined {
  if (failure?.code !== 'ERR_HTTP2_ERROR') return failure
  return new Error('it does not speak HTTP/2, or breaks it', { cause: failure })
}
