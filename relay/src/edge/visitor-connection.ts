// oxlint-disable max-lines -- One state machine on the hot path: cut up, its parts would share all of their private state.
import type { Socket } from 'node:net'

import type { Details, ErrorCode } from '@sluice/schema/errors'
import {
  ChunkedDecoder,
  endpointHostOf,
  headBytesMax,
  incomplete,
  informationalMax,
  malformed,
  requestBody,
  requestFault,
  responseBody,
  type BodyKind,
  type Details as WireDetails,
  type Session,
  type StreamEvents,
  type TunnelStream,
} from '@sluice/wire'

import type { Route } from '../route.ts'
import { ownAnswerBytesMax, type TunnelSession } from '../sessions.ts'
import type { EdgeContext } from './edge-context.ts'
import { errorResponse, takesHtml } from './error-response.ts'
import type { RecordedHeads } from './observed.ts'
import { recordRequest, recordResponse } from './record-heads.ts'
import { upgradeOf, writeRequest } from './request-head.ts'
import { VisitorResponse } from './visitor-response.ts'

/** What the next bytes of the visitor are. */
type Reading = 'head' | 'body' | 'later' | 'raw' | 'nothing'

/** Pipelined bytes kept while an exchange is under way. */
const laterBytesMax = headBytesMax
const lingerMs = 5_000
/** How long an upload may go on after its response is whole. */
const earlyMs = 30_000
/** A visitor that has closed its half and takes no bytes is given up: most have just gone away. */
const halfClosedMs = 2_000
const none: Buffer = Buffer.alloc(0)

/** One visitor's connection, and the exchange it has now: the public side of the hot path. */
export class VisitorConnection implements StreamEvents {
  readonly #edge: EdgeContext
  readonly #socket: Socket
  readonly #tls: boolean
  readonly #response: VisitorResponse
  readonly visitorIp: string
  #reading: Reading = 'head'
  #pending: Buffer = none
  #inLoop = false
  #paused = false

  // The exchange
  #stream: TunnelStream | undefined
  #tunnel: TunnelSession | undefined
  #hostBytes: Buffer = none
  #hostHeader = ''
  #endpointHost = ''
  #forwarded: Buffer = none
  #minorVersion = 1
  #keepAlive = true
  #toHead = false
  #html = false
  #upgrade = ''
  #requestKind: BodyKind = 'none'
  #remaining = 0
  #chunked: ChunkedDecoder | undefined
  #requestEnded = false
  #responseStarted = false
  #responseEnded = false
  #informational = 0
  #upgraded = false
  #status = 0
  #code: ErrorCode | undefined
  #requestBytes = 0
  /** The agent's check of the way to itself: nobody's traffic. */
  #unseen = false
  #record: RecordedHeads | undefined
  #startedMs = 0
  #firstByteMs: number | undefined

  // Deadlines, looked at by `sweep`
  #headSinceMs: number
  #idleSinceMs: number
  #halfClosedAtMs = 0
  #halfClosedBytes = 0
  #closeAtMs = 0

  constructor(edge: EdgeContext, socket: Socket, tls: boolean) {
    this.#edge = edge
    this.#socket = socket
    this.#tls = tls
    this.#response = new VisitorResponse(socket, edge.held)
    this.visitorIp = addressOf(socket)
    this.#idleSinceMs = performance.now()
    this.#headSinceMs = 0
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

  /** Serves no further request on this connection. */
  retire(): void {
    this.#keepAlive = false
    if (this.idle) this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Looks at the deadlines; called about every second. */
  sweep(nowMs: number): void {
    const { headTimeoutMs, idleTimeoutMs, responseHeadTimeoutMs } = this.#edge.timeouts
    if (this.#closeAtMs > 0 && nowMs >= this.#closeAtMs) this.#socket.destroy()
    else if (this.#reading === 'head') {
      if (this.#headSinceMs > 0 && nowMs - this.#headSinceMs >= headTimeoutMs) {
        this.#refuseHead('SLUICE_REQUEST_TIMEOUT', {})
      } else if (this.#headSinceMs === 0 && nowMs - this.#idleSinceMs >= idleTimeoutMs) {
        this.#socket.end()
        this.#closeAtMs = nowMs + lingerMs
      }
    } else if (this.#stream && !this.#responseStarted) {
      if (nowMs - this.#startedMs >= responseHeadTimeoutMs && this.#requestEnded) {
        this.#refuse('SLUICE_UPSTREAM_TIMEOUT', { seconds: responseHeadTimeoutMs / 1000 })
      } else this.#sweepHalfClosed(nowMs)
    } else if (this.#stream) this.#sweepHalfClosed(nowMs)
  }

  // The visitor's bytes

  readonly #onSocketData = (chunk: Buffer): void => {
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
      if (this.#headSinceMs === 0) this.#headSinceMs = performance.now()
      return false
    }
    this.#headSinceMs = 0
    this.#pending = end < buffer.length ? buffer.subarray(end) : none
    this.#serve(buffer, start, end)
    return true
  }

  #refuseHead(code: ErrorCode, details: Details): void {
    this.#startExchange()
    this.#keepAlive = false
    this.#requestEnded = false
    this.#refuse(code, details)
  }

  #startExchange(): void {
    this.#reading = 'later'
    this.#startedMs = performance.now()
    this.#toHead = false
    this.#html = false
    this.#upgrade = ''
    this.#requestEnded = false
    this.#responseStarted = false
    this.#responseEnded = false
    this.#informational = 0
    this.#status = 0
    this.#code = undefined
    this.#requestBytes = 0
    this.#response.bodyBytes = 0
    this.#unseen = false
    this.#record = undefined
    this.#firstByteMs = undefined
    this.#tunnel = undefined
  }

  #serve(buffer: Buffer, start: number, end: number): void {
    const { scanner } = this.#edge
    this.#startExchange()
    const fault = requestFault(scanner, buffer, start) ?? this.#readHost(buffer)
    if (fault !== undefined) {
      this.#keepAlive = false
      this.#refuse('SLUICE_REQUEST_MALFORMED', { reason: fault })
      return
    }
    this.#minorVersion = scanner.minorVersion
    this.#keepAlive =
      !this.#edge.places.draining() &&
      (scanner.minorVersion === 1 ? !scanner.connectionClose : scanner.connectionKeepAlive)
    this.#toHead =
      scanner.methodEnd - start === 4 && buffer[start] === 0x48 && buffer[start + 1] === 0x45
    this.#html = scanner.acceptIndex >= 0 && takesHtml(scanner.valueOf(buffer, scanner.acceptIndex))
    this.#requestKind = requestBody(scanner)
    this.#remaining = scanner.contentLength
    this.#requestEnded = this.#requestKind === 'none'
    const route = this.#edge.route({
      endpointHost: this.#endpointHost,
      serverName: this.#serverName(),
      tls: this.#tls,
      authorization:
        scanner.authorizationIndex < 0
          ? undefined
          : scanner.valueOf(buffer, scanner.authorizationIndex),
      visitorIp: this.visitorIp,
    })
    this.#carryOut(route, buffer, start, end)
  }

  #carryOut(route: Route, buffer: Buffer, start: number, end: number): void {
    switch (route.kind) {
      case 'tunnel':
        this.#tunnel = route.tunnel
        route.tunnel.active += 1
        this.#open(route.tunnel.session, buffer, start, end)
        return
      case 'console':
        this.#openConsole(buffer, start, end)
        return
      case 'control':
        this.#handOver(buffer.subarray(start, end))
        return
      case 'refuse':
        this.#tunnel = route.tunnel
        if (route.tunnel) route.tunnel.active += 1
        this.#refuse(route.code, { endpointHost: this.#endpointHost })
        return
      case 'absent':
        void this.#edge.isKnown(this.#endpointHost).then((known) => {
          const code = known ? 'SLUICE_TUNNEL_OFFLINE' : 'SLUICE_TUNNEL_UNKNOWN'
          if (this.#reading === 'later') this.#refuse(code, { endpointHost: this.#endpointHost })
        })
    }
  }

  #openConsole(buffer: Buffer, start: number, end: number): void {
    const session = this.#edge.console()
    if (session?.accepting) this.#open(session, buffer, start, end)
    else this.#refuse('SLUICE_RELAY_UNAVAILABLE', {})
  }

  /** Takes in the Host value. Most requests of a connection have the same, which is read once. */
  #readHost(buffer: Buffer): string | undefined {
    const { scanner } = this.#edge
    const start = scanner.valueStart[scanner.hostIndex] as number
    const end = scanner.valueEnd[scanner.hostIndex] as number
    const same = this.#hostBytes.length === end - start && this.#hostBytes.length > 0
    if (same && buffer.compare(this.#hostBytes, 0, this.#hostBytes.length, start, end) === 0) {
      return undefined
    }
    const hostHeader = buffer.toString('latin1', start, end)
    const endpointHost = endpointHostOf(hostHeader)
    if (endpointHost === undefined) return 'the Host header is not a host'
    this.#hostBytes = Buffer.from(hostHeader, 'latin1')
    this.#hostHeader = hostHeader
    this.#endpointHost = endpointHost
    const proto = this.#tls ? 'https' : 'http'
    this.#forwarded = Buffer.from(
      `X-Forwarded-For: ${this.visitorIp}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${this.#hostHeader}\r\n\r\n`,
      'latin1',
    )
    return undefined
  }

  #open(session: Session, buffer: Buffer, start: number, end: number): void {
    const edge = this.#edge
    const { scanner, scratch } = edge
    this.#upgrade = upgradeOf(scanner, buffer)
    const length = writeRequest(scratch, {
      scanner,
      buffer,
      start,
      end,
      toHead: this.#toHead,
      upgrade: this.#upgrade,
      authorized: this.#tunnel?.policy?.users !== undefined,
      visitorIp: this.visitorIp,
      forwarded: this.#forwarded,
    })
    if (this.#tunnel && edge.records(this.#tunnel, this.#startedMs)) {
      this.#record = recordRequest(scanner, buffer, start, this.#endpointHost, this.visitorIp)
    }
    if (this.#requestKind === 'chunked') this.#chunked = new ChunkedDecoder(scanner)
    // Bytes behind an upgrade wait for its answer.
    const ended = this.#requestEnded && this.#upgrade === ''
    this.#stream = session.openStream(this, scratch, 0, length, ended)
    if (this.#requestEnded) return
    this.#reading = 'body'
    const body = this.#pending
    this.#pending = none
    if (body.length > 0) this.#readBody(body)
  }

  #readBody(chunk: Buffer): void {
    let after: number
    if (this.#requestKind === 'chunked' && this.#chunked) {
      after = this.#chunked.decode(chunk, 0, chunk.length, this.#forwardPart)
      if (after === malformed) {
        this.#keepAlive = false
        this.#refuse('SLUICE_REQUEST_MALFORMED', { reason: this.#chunked.reason })
        return
      }
      if (!this.#chunked.done) return
      this.#stream?.end(this.#chunked.trailers)
      this.#chunked = undefined
    } else {
      after = Math.min(this.#remaining, chunk.length)
      this.#remaining -= after
      this.#forward(
        after === chunk.length ? chunk : chunk.subarray(0, after),
        this.#remaining === 0,
      )
      if (this.#remaining > 0) return
    }
    this.#requestEnded = true
    this.#reading = 'later'
    if (after < chunk.length) this.#keepForLater(chunk.subarray(after))
    if (this.#responseEnded) this.#finish()
  }

  readonly #forwardPart = (buffer: Buffer, start: number, end: number): void => {
    this.#forward(buffer.subarray(start, end), false)
  }

  #forward(piece: Buffer, ended: boolean): void {
    this.#requestBytes += piece.length
    if (this.#stream?.data(piece, ended) === false) this.#pause()
  }

  #pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  // The agent's answer

  onHead(payload: Buffer, own: boolean): void {
    const { scanner } = this.#edge
    if (
      this.#responseStarted ||
      scanner.scanResponse(payload, 0, payload.length) !== payload.length
    ) {
      this.#agentFault('the response head is malformed')
      return
    }
    const { status } = scanner
    if (status < 200) this.#onInformational(payload, status)
    else this.#onFinalHead(payload, own)
  }

  #onInformational(payload: Buffer, status: number): void {
    const { scanner, apex } = this.#edge
    const stream = this.#stream
    const upgrade = status === 101
    this.#informational += 1
    if (!stream || this.#informational > informationalMax || (upgrade && this.#upgrade === '')) {
      this.#agentFault('an interim response nobody asked for')
      return
    }
    if (this.#minorVersion === 0) return
    const head = {
      scanner,
      buffer: payload,
      end: payload.length,
      kind: 'none',
      chunked: false,
      connection: upgrade ? 'upgrade' : '',
      apex,
    } as const
    if (upgrade) this.#noteHead(payload)
    this.#response.head(stream, head, 0)
    if (!upgrade) return
    this.#upgraded = true
    this.#keepAlive = false
    this.#reading = 'raw'
    const early = this.#pending
    this.#pending = none
    if (early.length > 0) this.#forward(early, false)
    if (this.#halfClosedAtMs > 0) stream.end()
    this.#resume()
  }

  #onFinalHead(payload: Buffer, own: boolean): void {
    const { scanner, apex } = this.#edge
    const stream = this.#stream
    const body = responseBody(scanner, this.#toHead)
    if (!stream || body.fault !== undefined) {
      this.#agentFault(body.fault ?? 'the response came too late')
      return
    }
    if (own) this.#unseen = this.#staysUnseen(body.kind)
    if (this.#upgrade !== '') {
      // Refused. What the visitor sent for the other protocol cannot be a request of this one.
      if (this.#pending.length > 0) this.#keepAlive = false
      stream.end()
    }
    const unframed = body.kind === 'chunked' || body.kind === 'close'
    const chunked = unframed && this.#minorVersion === 1
    if ((unframed && !chunked) || !this.#requestEnded) this.#keepAlive = false
    const kept = this.#minorVersion === 0 ? 'keep-alive' : ''
    this.#noteHead(payload)
    this.#response.head(
      stream,
      {
        scanner,
        buffer: payload,
        end: payload.length,
        kind: body.kind,
        chunked,
        connection: this.#keepAlive ? kept : 'close',
        apex,
      },
      scanner.contentLength,
    )
  }

  /** An agent that marked its traffic as its own answers would pay for none of it: so they are few, small, and bring nothing in. */
  #staysUnseen(kind: BodyKind): boolean {
    return (
      this.#requestKind === 'none' &&
      this.#upgrade === '' &&
      kind === 'length' &&
      this.#edge.scanner.contentLength <= ownAnswerBytesMax &&
      this.#tunnel?.takeOwnAnswer() === true
    )
  }

  #noteHead(payload: Buffer): void {
    const { scanner } = this.#edge
    this.#responseStarted = true
    this.#status = scanner.status
    this.#firstByteMs = performance.now() - this.#startedMs
    if (this.#record) recordResponse(this.#record, scanner, payload)
  }

  onData(piece: Buffer, ended: boolean): void {
    const stream = this.#stream
    if (!stream) return
    if (this.#upgraded) {
      this.#response.raw(stream, piece)
      if (ended) this.onEnd(none)
      return
    }
    if (!this.#responseStarted || this.#responseEnded || !this.#response.body(piece)) {
      this.#agentFault('the body is longer than announced')
    } else if (ended) this.onEnd(none)
  }

  onEnd(trailers: Buffer): void {
    if (this.#upgraded) {
      this.#response.flush()
      this.#responseEnded = true
      this.#socket.end()
      if (this.#stream?.localEnded) this.#finish()
      return
    }
    if (!this.#responseStarted || !this.#response.end(trailers)) {
      this.#agentFault('the body is shorter than announced')
      return
    }
    this.#responseEnded = true
    if (this.#requestEnded) this.#finish()
    else this.#closeAtMs = performance.now() + earlyMs
  }

  onReset(code: string, details: WireDetails): void {
    if (!this.#stream) return
    if (this.#upgraded) {
      this.#endExchange()
      this.#socket.destroy()
    } else if (!this.#responseStarted) {
      this.#stream = undefined
      this.#refuse(upstreamCodes.has(code) ? (code as ErrorCode) : 'SLUICE_AGENT_LOST', details)
    } else if (this.#responseEnded) {
      // The upstream has answered and heard enough of the upload.
      this.#keepAlive = false
      this.#finish()
    } else this.#truncate()
  }

  onResume(): void {
    this.#resume()
  }

  /** The agent sent what no response can be. The visitor gets a 502, or sees the response break off. */
  #agentFault(reason: string): void {
    if (!this.#stream) return
    if (this.#responseStarted) {
      this.#stream.reset()
      this.#truncate()
    } else this.#refuse('SLUICE_UPSTREAM_INVALID', { reason })
  }

  /** A response that cannot be completed must not look complete. */
  #truncate(): void {
    this.#response.flush()
    const delimitedByClose = this.#response.closeDelimited
    this.#code = 'SLUICE_AGENT_LOST'
    this.#endExchange()
    if (delimitedByClose) this.#socket.resetAndDestroy()
    else this.#linger()
  }

  /** Answers in the upstream's place. */
  #refuse(code: ErrorCode, details: Details): void {
    this.#stream?.reset()
    this.#stream?.release()
    if (!this.#requestEnded || this.#upgrade !== '') this.#keepAlive = false
    const kept = this.#minorVersion === 0 ? 'keep-alive' : ''
    const busy = code === 'SLUICE_CONNECTIONS_MAX'
    const passing = busy || code === 'SLUICE_TUNNEL_OFFLINE' || code === 'SLUICE_RELAY_DRAINING'
    const response = errorResponse({
      code,
      details,
      html: this.#html,
      toHead: this.#toHead,
      connection: this.#keepAlive ? kept : 'close',
      ...(passing ? { retryAfterSeconds: busy ? 1 : 5 } : {}),
    })
    this.#code = code
    this.#status = Number(response.toString('latin1', 9, 12))
    this.#response.own(response)
    this.#responseStarted = true
    this.#responseEnded = true
    this.#finish()
  }

  /** Both messages are over: on to the next request, or close. */
  #finish(): void {
    this.#endExchange()
    this.#closeAtMs = 0
    if (!this.#keepAlive) {
      this.#response.flush()
      this.#linger()
      return
    }
    this.#response.flush()
    this.#reading = 'head'
    this.#idleSinceMs = performance.now()
    if (this.#pending.length > 0) {
      // A visitor that pipelines without reading gets no further response until it reads.
      if (this.#response.blocked) this.#reading = 'later'
      else this.#readHeads()
    }
    if (this.#reading === 'head') this.#resume()
  }

  /** Counts the exchange, once, and lets go of its stream. */
  #endExchange(): void {
    const stream = this.#stream
    const tunnel = this.#tunnel
    this.#stream = undefined
    this.#tunnel = undefined
    this.#chunked = undefined
    if (stream && !stream.closed) stream.reset()
    if (tunnel) tunnel.active -= 1
    if (this.#startedMs === 0) return
    const durationMs = performance.now() - this.#startedMs
    this.#startedMs = 0
    this.#edge.observe({
      tunnel: this.#unseen ? undefined : tunnel,
      status: this.#status,
      code: this.#code,
      requestBytes: this.#requestBytes,
      responseBytes: this.#response.bodyBytes,
      durationMs,
      firstByteMs: this.#firstByteMs,
      record: this.#record,
    })
    this.#record = undefined
  }

  // The end of the connection

  /** Closes our half and reads on for a while, so that the visitor gets the response rather than a reset. */
  #linger(): void {
    this.#reading = 'nothing'
    this.#pending = none
    this.#closeAtMs = performance.now() + lingerMs
    this.#resume()
    this.#socket.end()
  }

  readonly #onSocketDrain = (): void => {
    if (this.#reading !== 'later' || this.#stream || this.#startedMs !== 0) return
    this.#reading = 'head'
    this.#readHeads()
    if (this.#reading === 'head') this.#resume()
  }

  readonly #onSocketEnd = (): void => {
    if (this.#upgraded) {
      this.#stream?.end()
      if (this.#responseEnded) this.#finish()
    } else if (this.#stream && this.#requestEnded) {
      this.#keepAlive = false
      this.#halfClosedAtMs = performance.now()
      this.#halfClosedBytes = this.#socket.bytesWritten
    } else if (this.#startedMs === 0 || this.#stream) {
      if (this.#stream) this.#socket.destroy()
      else this.#socket.end()
    } else this.#keepAlive = false
  }

  #sweepHalfClosed(nowMs: number): void {
    if (this.#halfClosedAtMs === 0 || this.#upgraded) return
    if (this.#socket.bytesWritten !== this.#halfClosedBytes) {
      this.#halfClosedBytes = this.#socket.bytesWritten
      this.#halfClosedAtMs = nowMs
    } else if (nowMs - this.#halfClosedAtMs >= halfClosedMs && !this.#response.blocked) {
      this.#socket.destroy()
    }
  }

  readonly #onSocketGone = (): void => {
    if (this.#reading === 'nothing' && !this.#stream && this.#startedMs === 0) {
      this.#edge.forget(this)
      this.#response.drop()
      return
    }
    this.#reading = 'nothing'
    this.#pending = none
    if (this.#status === 0) this.#status = 499
    if (this.#stream || this.#startedMs > 0) this.#endExchange()
    this.#response.drop()
    this.#edge.forget(this)
  }

  #serverName(): string | undefined {
    if (!this.#tls) return undefined
    const name: unknown = Reflect.get(this.#socket, 'servername')
    return typeof name === 'string' ? name.toLowerCase() : undefined
  }

  /** The connection of an agent: leaves the edge for the control side. */
  #handOver(head: Buffer): void {
    const refusal = this.#edge.refuseAgent(head)
    if (refusal) {
      this.#keepAlive = false
      this.#refuse(refusal, { endpointHost: this.#endpointHost })
      return
    }
    this.#startedMs = 0
    this.#reading = 'nothing'
    const socket = this.#socket
    socket.off('data', this.#onSocketData).off('drain', this.#onSocketDrain)
    socket.off('end', this.#onSocketEnd).off('error', this.#onSocketGone)
    socket.off('close', this.#onSocketGone)
    this.#edge.forget(this)
    const first = this.#pending
    this.#pending = none
    this.#edge.acceptAgent(socket, head, first)
  }
}

/** Codes that an agent may give for the upstream. All others are the relay's own to say. */
const upstreamCodes = new Set([
  'SLUICE_UPSTREAM_REFUSED',
  'SLUICE_UPSTREAM_INVALID',
  'SLUICE_UPSTREAM_TIMEOUT',
])

function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
