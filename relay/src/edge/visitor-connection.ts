import { Socket } from 'node:net'

import type { Details, ErrorCode } from '@sluice/schema/errors'
import { DirectSocket, headBytesMax, incomplete, malformed } from '@sluice/wire'

import { CompressedStream } from '../policy/compressed-stream.ts'
import { paced, type ExchangeStream } from '../policy/paced-stream.ts'
import type { TunnelLimits } from '../policy/tunnel-limits.ts'
import type { TlsVisit } from '../tls/tls-visit.ts'
import { AgentAnswer, type Visitor } from './agent-answer.ts'
import { cutOff } from './cut-off.ts'
import { Deadlines } from './deadlines.ts'
import { Dispatch, type Asker } from './dispatch.ts'
import type { EdgeContext } from './edge-context.ts'
import { errorResponse } from './error-response.ts'
import { Exchange } from './exchange.ts'
import { RequestBody } from './request-body.ts'
import { VisitorHost } from './visitor-host.ts'
import { VisitorResponse } from './visitor-response.ts'
import { addressOf, type VisitorSocket } from './visitor-socket.ts'

/** What the next bytes of the visitor are. */
type Reading = 'head' | 'body' | 'later' | 'raw' | 'nothing'

/** Pipelined bytes kept while an exchange is under way. */
const laterBytesMax = headBytesMax
const lingerMs = 5_000
/** How long an upload may go on after its response is whole. */
const earlyMs = 30_000
const none: Buffer = Buffer.alloc(0)
const invitation = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/** One visitor's connection, and the exchange it has now: the public side of the hot path. */
export class VisitorConnection implements Visitor, Asker {
  readonly #edge: EdgeContext
  readonly #socket: VisitorSocket
  readonly #response: VisitorResponse
  readonly #exchange: Exchange
  readonly answer: AgentAnswer
  readonly #host: VisitorHost
  readonly #body: RequestBody
  readonly #dispatch: Dispatch
  readonly #deadlines: Deadlines
  #reading: Reading = 'head'
  #pending: Buffer = none
  #inLoop = false
  #paused = false
  /** The visitor has closed its half: nothing comes after what is pending. */
  #halfClosed = false
  #halfClosedBytes = 0

  constructor(
    edge: EdgeContext,
    socket: VisitorSocket,
    tls: TlsVisit | undefined,
    fromPeer = false,
  ) {
    this.#edge = edge
    this.#exchange = new Exchange(edge.sockets)
    this.#socket = socket
    this.#response = new VisitorResponse(socket, edge.held)
    this.answer = new AgentAnswer(edge, this.#exchange, this.#response, this)
    this.#body = new RequestBody(this.#exchange, (piece, ended) => this.#forward(piece, ended))
    const host = new VisitorHost(tls?.visitorIp ?? addressOf(socket), tls, fromPeer)
    this.#host = host
    const parts = { edge, exchange: this.#exchange, host, body: this.#body, asker: this }
    this.#dispatch = new Dispatch(parts, socket)
    this.#deadlines = new Deadlines(edge.timeouts, socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.on('data', this.#onSocketData)
    socket.on('drain', this.#onSocketDrain)
    socket.on('end', this.#onSocketEnd)
    socket.on('error', this.#onSocketGone)
    socket.on('close', this.#onSocketGone)
  }

  /** No exchange is under way: closing loses nothing. */
  get idle(): boolean {
    return this.#reading === 'head' && this.#pending.length === 0
  }

  /** An exchange is under way, or an upgraded connection. */
  get busy(): boolean {
    return this.#exchange.startedMs !== 0
  }

  /** Serves no further request on this connection. */
  retire(): void {
    // Another relay uses its connections as long as it knows no better way.
    if (this.#host.fromPeer) return
    this.#exchange.keepAlive = false
    if (this.idle) this.#socket.end()
  }

  /** A tunnel has got a bandwidth limit: what is under way keeps to it from now on. */
  pace(limits: TunnelLimits): void {
    const { stream, tunnel } = this.#exchange
    if (!stream || tunnel?.limits !== limits) return
    if (stream instanceof CompressedStream) stream.pace(limits)
    else this.#exchange.stream = paced(stream, limits)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Looks at the deadlines; called about every second. */
  sweep(nowMs: number): void {
    const head = this.#reading === 'head'
    const { blocked } = this.#response
    switch (this.#deadlines.passed(nowMs, head, this.#exchange, blocked, this.#paused)) {
      case 'head':
        this.#refuseHead('SLUICE_REQUEST_TIMEOUT', {})
        return
      case 'idle':
        this.#socket.end()
        this.#deadlines.closeIn(lingerMs)
        return
      case 'response': {
        const seconds = this.#edge.timeouts.responseHeadTimeoutMs / 1000
        this.refuse('SLUICE_UPSTREAM_TIMEOUT', { seconds })
        return
      }
      case 'body':
        this.refuse('SLUICE_REQUEST_TIMEOUT', {})
        return
      case 'half-closed':
        this.#probeAgain()
        return
      case 'end':
        this.#socket.destroy()
        return
      case 'none':
    }
  }

  /** A visitor who is gone has answered the first probe with a reset by now, or any byte that came since. */
  #probeAgain(): void {
    if (this.#response.probe(this.#exchange.responseStarted)) return
    // In the middle of a body nothing can be added: one that stands still has lost its reader, as far as we can tell.
    if (this.#socket.bytesWritten === this.#halfClosedBytes) this.#socket.destroy()
  }

  // The visitor's bytes

  readonly #onSocketData = (chunk: Buffer): void => {
    this.#read(chunk)
    // The chunk is the socket's again.
    if (this.#pending.length > 0 && this.#pending.buffer === chunk.buffer) {
      this.#pending = Buffer.from(this.#pending)
    }
  }

  #read(chunk: Buffer): void {
    switch (this.#reading) {
      case 'head':
        if (this.#pending.length === 0) {
          this.#pending = chunk
          this.#readHeads()
          return
        }
        this.#pending = Buffer.concat([this.#pending, chunk])
        // Without a line end the scan would find nothing new.
        if (chunk.includes(0x0a) || this.#pending.length > headBytesMax) this.#readHeads()
        return
      case 'body':
        this.#readBody(chunk)
        return
      case 'later':
        this.#keepForLater(chunk)
        return
      case 'raw':
        this.#forward(chunk, false)
        return
      case 'nothing':
    }
  }

  #keepForLater(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    if (this.#pending.length > laterBytesMax) this.#pause()
  }

  #readHeads(): void {
    if (this.#inLoop) return
    this.#inLoop = true
    while (this.#reading === 'head' && this.#pending.length > 0 && this.#readHead());
    this.#inLoop = false
  }

  /** Reads one head from what is pending. False: more bytes are needed. */
  #readHead(): boolean {
    const { scanner } = this.#edge
    const buffer = this.#pending
    // RFC 9112 §2.2: one empty line before a request is overlooked.
    const start = buffer[0] === 0x0d && buffer[1] === 0x0a ? 2 : 0
    const end = scanner.scanRequest(buffer, start, buffer.length)
    const bytes = (end > 0 ? end : buffer.length) - start
    if (bytes > headBytesMax || (end === malformed && scanner.tooMany)) {
      this.#refuseHead('SLUICE_REQUEST_HEAD_TOO_LARGE', { max: headBytesMax })
      return true
    }
    if (end === malformed) {
      this.#refuseHead('SLUICE_REQUEST_MALFORMED', { reason: scanner.reason })
      return true
    }
    if (end === incomplete) {
      this.#deadlines.headBegan()
      return false
    }
    this.#deadlines.headEnded()
    this.#pending = end < buffer.length ? buffer.subarray(end) : none
    this.#startExchange()
    this.#dispatch.serve(buffer, start, end)
    return true
  }

  #refuseHead(code: ErrorCode, details: Details): void {
    this.#startExchange()
    this.#exchange.keepAlive = false
    this.#exchange.requestEnded = false
    this.refuse(code, details)
  }

  #startExchange(): void {
    this.#reading = 'later'
    this.#response.bodyBytes = 0
    this.#exchange.start()
  }

  // What the dispatch asks for

  readBody(): void {
    this.#reading = 'body'
    // What came while it was being decided may have been more than is kept.
    this.resume()
    const body = this.#pending
    this.#pending = none
    if (body.length > 0) this.#readBody(body)
  }

  #readBody(chunk: Buffer): void {
    const after = this.#body.read(chunk)
    if (after === malformed) {
      this.#exchange.keepAlive = false
      this.refuse('SLUICE_REQUEST_MALFORMED', { reason: this.#body.reason })
      return
    }
    if (!this.#body.done) return
    this.#exchange.requestEnded = true
    this.#reading = 'later'
    if (after < chunk.length) this.#keepForLater(chunk.subarray(after))
    if (this.#exchange.responseEnded) this.finish()
  }

  #forward(piece: Buffer, ended: boolean): void {
    this.#exchange.requestBytes += piece.length
    if (!this.#exchange.upgraded) this.#exchange.record?.bodies?.request.take(piece)
    const { stream, replay } = this.#exchange
    if (replay) replay.add(piece, ended)
    // While another way is looked for, the body waits.
    if (stream ? stream.data(piece, ended) === false : replay !== undefined) this.#pause()
  }

  #pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  // What the agent's answer asks for

  get hasSentMore(): boolean {
    return this.#pending.length > 0
  }

  switchToRaw(stream: ExchangeStream): void {
    this.#reading = 'raw'
    const early = this.#pending
    this.#pending = none
    if (early.length > 0) this.#forward(early, false)
    if (this.#halfClosed) stream.end()
    this.resume()
  }

  endSending(): void {
    this.#socket.end()
  }

  retry(code: string): boolean {
    return this.#dispatch.retry(code)
  }

  abandon(): void {
    this.#endExchange()
    cutOff(this.#socket)
  }

  limitUpload(): void {
    this.#deadlines.closeIn(earlyMs)
  }

  breakOff(): void {
    this.#response.flush()
    const delimitedByClose = this.#response.closeDelimited
    this.#exchange.code = 'SLUICE_AGENT_LOST'
    this.#endExchange()
    if (delimitedByClose) cutOff(this.#socket)
    else this.#linger()
  }

  /** Answers in the upstream's place. */
  refuse(code: ErrorCode, details: Details, lines: readonly string[] = []): void {
    this.#exchange.stream?.reset()
    this.#exchange.stream?.release()
    if (!this.#exchange.requestEnded || this.#exchange.upgrade !== '')
      this.#exchange.keepAlive = false
    const kept = this.#exchange.minorVersion === 0 ? 'keep-alive' : ''
    const response = errorResponse({
      code,
      details,
      html: this.#exchange.html,
      toHead: this.#exchange.toHead,
      connection: this.#exchange.keepAlive ? kept : 'close',
      lines,
    })
    this.#exchange.code = code
    this.answerWith(response)
  }

  answerWith(response: Buffer): void {
    this.#exchange.status = Number(response.toString('latin1', 9, 12))
    this.#response.own(response)
    this.#exchange.responseStarted = true
    this.#exchange.responseEnded = true
    this.finish()
  }

  invite(): void {
    this.#response.own(invitation)
  }

  /** Both messages are over: on to the next request, or close. */
  finish(): void {
    this.#endExchange()
    this.#deadlines.keep()
    if (!this.#exchange.keepAlive) {
      this.#response.flush()
      this.#linger()
      return
    }
    this.#response.flush()
    this.#reading = 'head'
    this.#deadlines.idleBegan()
    if (this.#pending.length > 0) {
      // A visitor that pipelines without reading gets no further response until it reads.
      if (this.#response.blocked) this.#reading = 'later'
      else this.#readHeads()
    }
    if (this.#reading === 'head') this.#nextHead()
  }

  /** Waits for the next request, if there may be one. */
  #nextHead(): void {
    if (!this.#halfClosed) this.resume()
    else if (!this.#inLoop) this.#linger()
  }

  /** Counts the exchange, once, and lets go of its stream. */
  #endExchange(): void {
    const observed = this.#exchange.end(this.#response.bodyBytes)
    if (observed) this.#edge.observe(observed)
  }

  // The end of the connection

  /** Closes our half and reads on for a while, so that the visitor gets the response rather than a reset. */
  #linger(): void {
    this.#reading = 'nothing'
    this.#pending = none
    this.#deadlines.closeIn(lingerMs)
    this.resume()
    this.#socket.end()
  }

  readonly #onSocketDrain = (): void => {
    if (this.#reading !== 'later' || this.#exchange.stream || this.#exchange.startedMs !== 0) return
    this.#reading = 'head'
    this.#readHeads()
    if (this.#reading === 'head') this.#nextHead()
  }

  readonly #onSocketEnd = (): void => {
    const { stream, upgraded, requestEnded, responseStarted, responseEnded } = this.#exchange
    this.#halfClosed = true
    if (upgraded) {
      stream?.end()
      if (responseEnded) this.finish()
    } else if (stream && requestEnded) {
      // Most visitors who close their half have just gone away, and the upstream should not work for them.
      this.#response.probe(responseStarted)
      this.#halfClosedBytes = this.#socket.bytesWritten
      this.#deadlines.halfCloseBegan()
    } else if (stream && responseEnded) {
      this.#exchange.keepAlive = false
      this.finish()
    } else if (stream) this.#socket.destroy()
    // Requests that wait are still to be answered.
    else if (this.#exchange.startedMs === 0 && this.#reading === 'head') this.#socket.end()
  }

  readonly #onSocketGone = (): void => {
    if (this.#reading === 'nothing' && !this.#exchange.stream && this.#exchange.startedMs === 0) {
      this.#edge.forget(this)
      this.#response.drop()
      return
    }
    this.#reading = 'nothing'
    this.#pending = none
    if (this.#exchange.status === 0) this.#exchange.status = 499
    if (this.#exchange.stream || this.#exchange.startedMs > 0) this.#endExchange()
    this.#response.drop()
    this.#edge.forget(this)
  }

  /** The connection of an agent: leaves the edge for the control side. */
  handOver(head: Buffer): void {
    const socket = this.#socket
    // An agent's link is a connection of its own, never a stream of one.
    if (!(socket instanceof Socket || socket instanceof DirectSocket)) {
      this.#refuseAgent('SLUICE_TUNNEL_UNKNOWN')
      return
    }
    const refusal = this.#edge.refuseAgent(head)
    if (refusal) {
      this.#refuseAgent(refusal)
      return
    }
    this.#exchange.startedMs = 0
    this.#reading = 'nothing'
    socket.off('data', this.#onSocketData).off('drain', this.#onSocketDrain)
    socket.off('end', this.#onSocketEnd).off('error', this.#onSocketGone)
    socket.off('close', this.#onSocketGone)
    this.#edge.forget(this)
    const first = this.#pending
    this.#pending = none
    this.#edge.acceptAgent(socket, head, first)
  }

  #refuseAgent(code: ErrorCode): void {
    this.#exchange.keepAlive = false
    this.refuse(code, { endpointHost: this.#host.endpointHost })
  }
}
