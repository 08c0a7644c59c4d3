import { Socket } from 'node:net'

import type { Details, ErrorCode } from '@sluice/schema/errors'
import { DirectSocket, malformed } from '@sluice/wire'

import type { ExchangeStream } from '../policy/paced-stream.ts'
import type { TunnelLimits } from '../policy/tunnel-limits.ts'
import type { TunnelSession } from '../sessions.ts'
import type { TlsVisit } from '../tls/tls-visit.ts'
import { AgentAnswer, type Visitor } from './agent-answer.ts'
import { cutOff } from './cut-off.ts'
import { Deadlines, earlyMs, lingerMs } from './deadlines.ts'
import { Dispatch, type Asker } from './dispatch.ts'
import type { EdgeContext } from './edge-context.ts'
import { errorResponse } from './error-response.ts'
import { Exchange } from './exchange.ts'
import { HeadReader, type HeadOwner } from './head-reader.ts'
import { RequestBody } from './request-body.ts'
import { VisitorHost } from './visitor-host.ts'
import { VisitorResponse } from './visitor-response.ts'
import { addressOf, type VisitorSocket } from './visitor-socket.ts'

/** What the next bytes of the visitor are. */
type Reading = 'head' | 'body' | 'later' | 'raw' | 'nothing'

const invitation = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/** One visitor's connection, and the exchange it has now: the public side of the hot path. */
export class VisitorConnection implements Visitor, Asker, HeadOwner {
  readonly #edge: EdgeContext
  readonly #socket: VisitorSocket
  readonly #response: VisitorResponse
  readonly #exchange: Exchange
  readonly answer: AgentAnswer
  readonly #host: VisitorHost
  readonly #body: RequestBody
  readonly #dispatch: Dispatch
  readonly #deadlines: Deadlines
  readonly #heads: HeadReader
  #reading: Reading = 'head'
  #paused = false
  /** The visitor has closed its half: nothing comes after what is pending. */
  #halfClosed = false

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
    this.#host = new VisitorHost(tls?.visitorIp ?? addressOf(socket), tls, fromPeer)
    const parts = {
      edge,
      exchange: this.#exchange,
      host: this.#host,
      body: this.#body,
      asker: this,
    }
    this.#dispatch = new Dispatch(parts, socket)
    this.#deadlines = new Deadlines(edge.timeouts, socket)
    this.#heads = new HeadReader(edge.scanner, this.#deadlines, this)
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
    return this.readsHead && this.#heads.empty
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
    this.#exchange.pace(limits)
  }

  /** The tunnel's policy has changed: cuts off a visitor whom it keeps out now, and answers whether it did. */
  enforce(tunnel: TunnelSession): boolean {
    if (!this.#exchange.forbids(tunnel, this.#host.visitorIp)) return false
    this.abandon()
    return true
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
        this.refuseHead('SLUICE_REQUEST_TIMEOUT', {})
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
        // A visitor who is gone has answered the first probe with a reset by now, or any byte that came since.
        if (this.#response.probe(this.#exchange.responseStarted)) return
        // In the middle of a body nothing can be added: one that stands still has lost its reader, as far as we can tell.
        if (this.#deadlines.stoodStill) this.#socket.destroy()
        return
      case 'end':
        this.#socket.destroy()
        return
      case 'none':
    }
  }

  // The visitor's bytes

  readonly #onSocketData = (chunk: Buffer): void => {
    this.#read(chunk)
    this.#heads.letGoOf(chunk)
  }

  #read(chunk: Buffer): void {
    switch (this.#reading) {
      case 'head':
        this.#heads.add(chunk)
        return
      case 'body':
        this.#readBody(chunk)
        return
      case 'later':
        if (!this.#heads.keep(chunk)) this.#pause()
        return
      case 'raw':
        this.#forward(chunk, false)
        return
      case 'nothing':
    }
  }

  // What the heads ask for

  get readsHead(): boolean {
    return this.#reading === 'head'
  }

  serve(buffer: Buffer, start: number, end: number): void {
    this.#startExchange()
    this.#dispatch.serve(buffer, start, end)
  }

  refuseHead(code: ErrorCode, details: Details): void {
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
    const body = this.#heads.take()
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
    if (after < chunk.length && !this.#heads.keep(chunk.subarray(after))) this.#pause()
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
    return !this.#heads.empty
  }

  switchToRaw(stream: ExchangeStream): void {
    this.#reading = 'raw'
    const early = this.#heads.take()
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
    const { html, toHead } = this.#exchange
    const connection = this.#exchange.refuse(code)
    this.answerWith(errorResponse({ code, details, html, toHead, connection, lines }))
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
    if (!this.#heads.empty) {
      // A visitor that pipelines without reading gets no further response until it reads.
      if (this.#response.blocked) this.#reading = 'later'
      else this.#heads.read()
    }
    if (this.#reading === 'head') this.#nextHead()
  }

  /** Waits for the next request, if there may be one. */
  #nextHead(): void {
    if (!this.#halfClosed) this.resume()
    else if (!this.#heads.reading) this.#linger()
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
    this.#heads.take()
    this.#deadlines.closeIn(lingerMs)
    this.resume()
    this.#socket.end()
  }

  readonly #onSocketDrain = (): void => {
    if (this.#reading !== 'later' || this.#exchange.stream || this.#exchange.startedMs !== 0) return
    this.#reading = 'head'
    this.#heads.read()
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
      this.#deadlines.halfCloseBegan()
    } else if (stream && responseEnded) {
      this.#exchange.keepAlive = false
      this.finish()
    } else if (stream) this.#socket.destroy()
    // Requests that wait are still to be answered.
    else if (this.#exchange.startedMs === 0 && this.#reading === 'head') this.#socket.end()
  }

  readonly #onSocketGone = (): void => {
    this.#reading = 'nothing'
    this.#heads.take()
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
    const first = this.#heads.take()
    this.#edge.acceptAgent(socket, head, first)
  }

  #refuseAgent(code: ErrorCode): void {
    this.#exchange.keepAlive = false
    this.refuse(code, { endpointHost: this.#host.endpointHost })
  }
}
