import { frameType } from '../frame.ts'
import { ChunkedDecoder } from '../http/chunked.ts'
import { responseBody, type BodyKind } from '../http/framing.ts'
import { incomplete, malformed } from '../http/scan-head.ts'
import { headBytesMax, informationalMax } from '../limits.ts'
import type { Details } from '../message.ts'
import { openFlag, withHost } from '../open-head.ts'
import type { StreamEvents, TunnelStream } from '../stream.ts'
import { ExchangeReport, type ExchangeTap } from './exchange-report.ts'
import type { Forwarder } from './forwarder.ts'
import { KeptRequest } from './kept-request.ts'
import { UpstreamBytes, type UpstreamBytesEvents, type UpstreamSocket } from './upstream-bytes.ts'

type Phase = 'idle' | 'head' | 'body' | 'upgraded' | 'answered'

const none: Buffer = Buffer.alloc(0)
/** One connection to the upstream and the exchange it serves now. It is reused only after two messages that ended cleanly. */
export class UpstreamConnection implements StreamEvents, UpstreamBytesEvents {
  readonly borrows = true
  readonly #forwarder: Forwarder
  readonly #report: ExchangeReport
  readonly #socket: UpstreamBytes
  readonly #connectTimer: NodeJS.Timeout
  /** Kept by the forwarder. */
  busy = false
  idleSinceMs = 0
  #phase: Phase = 'idle'
  #stream: TunnelStream | undefined
  #connected = false
  /** Exchanges before this one. */
  #served = 0
  readonly #request = new KeptRequest()
  #headStart = 0
  #flags = 0
  #requestEnded = false
  /** Of an upgraded connection: the upstream has said its last. */
  #upgradeAnswered = false
  #partialHead: Buffer = none
  #informational = 0
  #kind: BodyKind = 'none'
  #remaining = 0
  #chunked: ChunkedDecoder | undefined
  #keepAlive = false
  /** The turn in which a request was sent on a connection that had served another; −1: none. */
  #sentInTurn = -1
  /** The upstream takes no more of the request. */
  #cutShort = false
  #undrained = 0
  constructor(forwarder: Forwarder, socket: UpstreamSocket, connectTimeoutMs: number) {
    this.#forwarder = forwarder
    this.#report = new ExchangeReport(forwarder.options, forwarder.sockets)
    this.#connectTimer = setTimeout(() => {
      this.#fail('SLUICE_UPSTREAM_TIMEOUT', { seconds: connectTimeoutMs / 1000 })
    }, connectTimeoutMs)
    this.#socket = new UpstreamBytes(
      socket,
      forwarder.options.upstream.tls,
      forwarder.sockets,
      this,
    )
  }

  /** `tap` is that of a first try on another connection. */
  start(
    stream: TunnelStream,
    payload: Buffer,
    headStart: number,
    ended: boolean,
    tap?: ExchangeTap,
  ): void {
    const { host } = this.#forwarder
    stream.events = this
    this.#stream = stream
    this.#phase = 'head'
    this.#request.keep(payload)
    this.#headStart = headStart
    this.#flags = payload[0] ?? 0
    this.#requestEnded = ended
    this.#cutShort = false
    this.#informational = 0
    this.#undrained = 0
    const isTold = this.#served > 0 && this.#forwarder.options.betweenPolls !== true
    this.#sentInTurn = isTold ? this.#forwarder.turns.begin() : -1
    this.#report.start(payload, headStart, tap)
    this.#socket.writeKept(
      host === undefined
        ? this.#request.headFrom(headStart)
        : withHost(this.#request.payload, headStart, host),
    )
  }

  destroy(): void {
    this.#phase = 'idle'
    this.#stream = undefined
    this.#socket.destroy()
  }

  // The stream: what the visitor sends

  onHead(): void {}

  onData(piece: Buffer, ended: boolean): void {
    this.#report.requestData(piece)
    let taken = true
    if ((this.#flags & openFlag.chunked) !== 0 && this.#phase !== 'upgraded') {
      if (piece.length > 0) taken = this.#socket.writeChunk(piece)
    } else taken = this.#socket.write(piece)
    if (taken && this.#undrained === 0) this.#stream?.drained(piece.length)
    else this.#undrained += piece.length
    if (ended) this.onEnd(none)
  }

  onEnd(trailers: Buffer): void {
    this.#requestEnded = true
    if (this.#phase === 'upgraded') this.#socket.end()
    else if ((this.#flags & openFlag.chunked) !== 0) {
      this.#socket.write(Buffer.from(`0\r\n${trailers.toString('latin1')}\r\n`, 'latin1'))
    }
    if (this.#phase === 'answered') this.#finish(false)
  }

  onReset(): void {
    this.#report.end('', true)
    // After an upgrade an orderly end would look like the visitor's own.
    if (this.#phase === 'upgraded') this.#socket.reset()
    this.#stream?.release()
    this.#stream = undefined
    this.#forwarder.release(this, false)
  }

  onResume(): void {
    this.#socket.resume()
    if (this.#cutShort) this.#endUpload()
  }

  /** A reset overtakes what waits in its stream, so the response goes first. */
  #endUpload(): void {
    if (this.#stream && this.#stream.queuedFrames > 0) return
    this.#stream?.reset()
    this.#finish(false)
  }

  // The socket: what the upstream sends

  onConnect(): void {
    clearTimeout(this.#connectTimer)
    this.#connected = true
  }

  onDrain(): void {
    const bytes = this.#undrained
    this.#undrained = 0
    this.#stream?.drained(bytes)
  }

  onBytes(chunk: Buffer): void {
    switch (this.#phase) {
      case 'idle':
        // A response before its request is never to be believed.
        this.#forwarder.discard(this)
        return
      case 'head':
        // It was here before the request: the rest of another exchange, which nobody else may see.
        if (this.#sentInTurn === this.#forwarder.turns.now)
          this.#onUnanswered('a response nobody had asked for')
        else this.#readHead(chunk)
        return
      case 'body':
        this.#readBody(chunk, 0)
        return
      case 'upgraded':
        this.#send(chunk, false)
        return
      case 'answered':
        // Bytes behind a whole response: the framing was not what it seemed.
        this.#keepAlive = false
    }
  }

  #readHead(chunk: Buffer): void {
    const { scanner } = this.#forwarder
    const buffer = this.#partialHead.length > 0 ? Buffer.concat([this.#partialHead, chunk]) : chunk
    this.#partialHead = none
    let start = 0
    while (start < buffer.length) {
      const end = scanner.scanResponse(buffer, start, buffer.length)
      if (end === malformed) {
        const reason = opensHttp2(buffer, start)
          ? 'it speaks HTTP/2 (name the target h2c://host:port)'
          : scanner.reason
        this.#fail('SLUICE_UPSTREAM_INVALID', { reason })
        return
      }
      if ((end === incomplete ? buffer.length : end) - start > headBytesMax) {
        this.#fail('SLUICE_UPSTREAM_INVALID', { reason: 'the response head is too large' })
        return
      }
      if (end === incomplete) {
        this.#partialHead = Buffer.from(buffer.subarray(start))
        return
      }
      if (scanner.status >= 200 || scanner.status === 101) {
        this.#takeFinalHead(buffer, start, end)
        return
      }
      this.#informational += 1
      if (this.#informational > informationalMax) {
        this.#fail('SLUICE_UPSTREAM_INVALID', { reason: 'too many interim responses' })
        return
      }
      this.#report.responseHead(buffer, start, end)
      this.#stream?.head(frameType.head, buffer, start, end, false)
      start = end
    }
  }

  #takeFinalHead(buffer: Buffer, start: number, end: number): void {
    const { scanner } = this.#forwarder
    const body = responseBody(scanner, (this.#flags & openFlag.toHead) !== 0)
    const upgraded = scanner.status === 101
    if (body.fault !== undefined || (upgraded && (this.#flags & openFlag.upgrade) === 0)) {
      this.#fail('SLUICE_UPSTREAM_INVALID', { reason: body.fault ?? 'an upgrade nobody asked for' })
      return
    }
    this.#request.answered(upgraded)
    this.#report.status = scanner.status
    this.#kind = body.kind
    this.#keepAlive =
      !scanner.connectionClose && (scanner.minorVersion === 1 || scanner.connectionKeepAlive)
    const empty = body.kind === 'none' && !upgraded
    if (body.kind === 'length') this.#remaining = scanner.contentLength
    this.#chunked = body.kind === 'chunked' ? new ChunkedDecoder(scanner) : undefined
    this.#phase = upgraded ? 'upgraded' : 'body'
    const stream = this.#stream
    this.#report.responseHead(buffer, start, end)
    stream?.head(frameType.head, buffer, start, end, empty)
    if (empty) this.#answered(end < buffer.length)
    else if (end < buffer.length) {
      if (upgraded) this.#send(buffer.subarray(end), false)
      else this.#readBody(buffer, end)
    }
  }

  #readBody(buffer: Buffer, start: number): void {
    if (this.#kind === 'length') {
      const bytes = Math.min(this.#remaining, buffer.length - start)
      this.#remaining -= bytes
      const last = this.#remaining === 0
      this.#send(buffer.subarray(start, start + bytes), last)
      if (last) this.#answered(start + bytes < buffer.length)
    } else if (this.#kind === 'chunked' && this.#chunked) {
      const decoder = this.#chunked
      const after = decoder.decode(buffer, start, buffer.length, this.#sendPart)
      if (after === malformed) {
        this.#report.end('SLUICE_UPSTREAM_INVALID')
        this.#abort()
      } else if (decoder.done) {
        this.#stream?.end(decoder.trailers)
        this.#answered(after < buffer.length)
      }
    } else this.#send(buffer.subarray(start), false)
  }

  readonly #sendPart = (buffer: Buffer, start: number, end: number): void => {
    this.#send(buffer.subarray(start, end), false)
  }

  #send(piece: Buffer, last: boolean): void {
    this.#report.responseData(piece)
    const taken = this.#stream?.data(piece, last) ?? true
    if (!taken) this.#socket.pause()
  }

  /** The response is whole. The request may still be on its way: then the connection is not used again. */
  #answered(excess: boolean): void {
    if (excess) this.#keepAlive = false
    this.#phase = 'answered'
    this.#chunked = undefined
    if (this.#requestEnded) this.#finish(this.#keepAlive && !this.#socket.waiting)
    else this.#keepAlive = false
  }

  #finish(reusable: boolean): void {
    this.#report.end('')
    this.#stream?.release()
    this.#stream = undefined
    this.#phase = 'idle'
    this.#served += 1
    if (reusable) this.#socket.resume()
    this.#forwarder.release(this, reusable)
  }

  onUpstreamEnd(): void {
    if (this.#phase === 'body' && this.#kind === 'close') {
      this.#stream?.end()
      this.#answered(false)
    } else if (this.#phase === 'upgraded') {
      this.#upgradeAnswered = true
      this.#stream?.end()
      if (this.#requestEnded) this.#finish(false)
    } else this.onGone('closed')
  }

  onGone(reason: string): void {
    clearTimeout(this.#connectTimer)
    switch (this.#phase) {
      case 'idle':
        this.#forwarder.discard(this)
        return
      case 'head':
        this.#onUnanswered(reason)
        return
      case 'answered':
        // Whole response, upload cut short by the upstream: it has heard enough.
        this.#cutShort = true
        this.#endUpload()
        return
      case 'body':
      case 'upgraded':
        if (this.#upgradeAnswered) {
          // The upstream was the first to end, in an orderly way, and is gone now: nothing broke off.
          this.#phase = 'answered'
          if (this.#requestEnded) this.#finish(false)
          else this.onGone(reason)
          return
        }
        this.#report.end('SLUICE_UPSTREAM_INVALID')
        this.#abort()
    }
  }

  #onUnanswered(reason: string): void {
    const stream = this.#stream
    if (!this.#connected && this.#served === 0) {
      const { host, port } = this.#forwarder.options.upstream
      this.#fail('SLUICE_UPSTREAM_REFUSED', { upstream: `${host}:${port}`, reason })
      return
    }
    // A kept-alive connection may die just when it is taken. What is safe to repeat is repeated, once.
    if (stream && this.#served > 0 && this.#partialHead.length === 0 && this.#repeatable()) {
      const connection = this.#forwarder.reopen(this)
      const [payload, headStart] = [this.#request.payload, this.#headStart]
      const tap = this.#report.handOver()
      this.destroy()
      connection.start(stream, payload, headStart, true, tap)
      return
    }
    this.#fail('SLUICE_UPSTREAM_INVALID', { reason: `no response (${reason})` })
  }

  #repeatable(): boolean {
    if (!this.#requestEnded || this.#report.requestBytes > 0 || this.#informational > 0)
      return false
    return /^(?:GET|HEAD|OPTIONS) /.test(
      this.#request.payload.toString('latin1', this.#headStart, this.#headStart + 8),
    )
  }

  /** No response to pass on: the relay answers with the code. */
  #fail(code: string, details: Details): void {
    if (this.#phase === 'idle') return
    this.#report.end(code)
    this.#stream?.reset(code, details)
    this.#drop()
  }

  /** A response that broke off: the visitor must see that. */
  #abort(): void {
    this.#stream?.reset()
    this.#drop()
  }

  #drop(): void {
    this.#stream?.release()
    this.#stream = undefined
    this.#phase = 'idle'
    this.#forwarder.release(this, false)
  }
}

/** A server of HTTP/2 begins with SETTINGS (RFC 9113 §3.4), whatever it was asked. */
function opensHttp2(buffer: Buffer, start: number): boolean {
  const isSettings = buffer.length - start >= 9 && buffer[start + 3] === 0x04
  return isSettings && buffer[start] === 0 && buffer.readUInt32BE(start + 5) === 0
}
