import type { Details, ErrorCode } from '@sluice/schema/errors'
import {
  informationalMax,
  responseBody,
  type BodyKind,
  type Details as WireDetails,
  type HeadScanner,
  type StreamEvents,
} from '@sluice/wire'

import type { ExchangeStream } from '../policy/paced-stream.ts'
import { ownAnswerBytesMax } from '../sessions.ts'
import type { EdgeContext } from './edge-context.ts'
import type { Exchange } from './exchange.ts'
import { recordResponse } from './record-heads.ts'
import type { VisitorResponse } from './visitor-response.ts'

const none: Buffer = Buffer.alloc(0)

/** What the answer to a request asks of the connection that it goes to. */
export interface Visitor {
  /** Bytes behind the request are here already. */
  readonly hasSentMore: boolean
  /** After a 101: from now on bytes pass as they are. */
  switchToRaw(stream: ExchangeStream): void
  endSending(): void
  /** The response is whole: what is left of the upload has a deadline. */
  limitUpload(): void
  resume(): void
  /** Sends the request once more, if that is possible and right. */
  retry(code: string): boolean
  /** Ends the connection at once. */
  abandon(): void
  /** Answers in the upstream's place. */
  refuse(code: ErrorCode, details: Details): void
  /** A response that cannot be completed must not look complete. */
  breakOff(): void
  /** Both messages are over. */
  finish(): void
}

/** The agent's side of an exchange: checks what it sends, for an agent is not trusted, and hands it to the visitor. */
export class AgentAnswer implements StreamEvents {
  readonly borrows = true
  readonly #edge: EdgeContext
  readonly #exchange: Exchange
  readonly #response: VisitorResponse
  readonly #visitor: Visitor

  constructor(edge: EdgeContext, exchange: Exchange, response: VisitorResponse, visitor: Visitor) {
    this.#edge = edge
    this.#exchange = exchange
    this.#response = response
    this.#visitor = visitor
  }

  onHead(payload: Buffer, own: boolean): void {
    const { scanner } = this.#edge
    if (
      this.#exchange.responseStarted ||
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
    const stream = this.#exchange.stream
    const upgrade = status === 101
    this.#exchange.informational += 1
    if (
      !stream ||
      this.#exchange.informational > informationalMax ||
      (upgrade && this.#exchange.upgrade === '')
    ) {
      this.#agentFault('an interim response nobody asked for')
      return
    }
    if (this.#exchange.minorVersion === 0) return
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
    this.#exchange.upgraded = true
    this.#exchange.keepAlive = false
    this.#visitor.switchToRaw(stream)
  }

  #onFinalHead(payload: Buffer, own: boolean): void {
    const { scanner, apex } = this.#edge
    const stream = this.#exchange.stream
    const body = responseBody(scanner, this.#exchange.toHead)
    if (stream && this.#exchange.way && scanner.status === 421 && isStale(scanner, payload)) {
      this.#failBefore('SLUICE_ROUTE_STALE', {})
      return
    }
    if (!stream || body.fault !== undefined) {
      this.#agentFault(body.fault ?? 'the response came too late')
      return
    }
    if (own) this.#exchange.unseen = this.#staysUnseen(body.kind)
    if (this.#exchange.upgrade !== '') {
      // Refused. What the visitor sent for the other protocol cannot be a request of this one.
      if (this.#visitor.hasSentMore) this.#exchange.keepAlive = false
      stream.end()
    }
    const unframed = body.kind === 'chunked' || body.kind === 'close'
    const chunked = unframed && this.#exchange.minorVersion === 1
    if ((unframed && !chunked) || !this.#exchange.requestEnded) this.#exchange.keepAlive = false
    const kept = this.#exchange.minorVersion === 0 ? 'keep-alive' : ''
    this.#noteHead(payload)
    this.#response.head(
      stream,
      {
        scanner,
        buffer: payload,
        end: payload.length,
        kind: body.kind,
        chunked,
        connection: this.#exchange.keepAlive ? kept : 'close',
        apex,
        changes: this.#exchange.tunnel?.policy?.responseHeaders,
        fromPeer: this.#exchange.way !== undefined,
      },
      scanner.contentLength,
    )
  }

  /** An agent that marked its traffic as its own answers would pay for none of it: so they are few, small, and bring nothing in. */
  #staysUnseen(kind: BodyKind): boolean {
    return (
      this.#exchange.requestKind === 'none' &&
      this.#exchange.upgrade === '' &&
      kind === 'length' &&
      this.#edge.scanner.contentLength <= ownAnswerBytesMax &&
      this.#exchange.tunnel?.takeOwnAnswer() === true
    )
  }

  #noteHead(payload: Buffer): void {
    const { scanner } = this.#edge
    this.#exchange.responseStarted = true
    this.#exchange.replay = undefined
    this.#exchange.status = scanner.status
    this.#exchange.firstByteMs = this.#edge.sockets.nowMs() - this.#exchange.startedMs
    if (this.#exchange.record) recordResponse(this.#exchange.record, scanner, payload)
  }

  onData(piece: Buffer, ended: boolean): void {
    const stream = this.#exchange.stream
    if (!stream) return
    if (this.#exchange.upgraded) {
      this.#response.raw(stream, piece)
      if (ended) this.onEnd(none)
      return
    }
    this.#exchange.record?.bodies?.response.take(piece)
    if (
      !this.#exchange.responseStarted ||
      this.#exchange.responseEnded ||
      !this.#response.body(piece)
    ) {
      this.#agentFault('the body is longer than announced')
    } else if (ended) this.onEnd(none)
  }

  onEnd(trailers: Buffer): void {
    if (this.#exchange.upgraded) {
      this.#response.flush()
      this.#exchange.responseEnded = true
      this.#visitor.endSending()
      if (this.#exchange.stream?.localEnded) this.#visitor.finish()
      return
    }
    if (!this.#exchange.responseStarted || !this.#response.end(trailers)) {
      this.#agentFault('the body is shorter than announced')
      return
    }
    this.#exchange.responseEnded = true
    if (this.#exchange.requestEnded) this.#visitor.finish()
    else this.#visitor.limitUpload()
  }

  onReset(code: string, details: WireDetails): void {
    if (!this.#exchange.stream) return
    if (this.#exchange.upgraded) {
      this.#visitor.abandon()
    } else if (!this.#exchange.responseStarted) {
      this.#failBefore(code, details)
    } else if (this.#exchange.responseEnded) {
      // The upstream has answered and heard enough of the upload.
      this.#exchange.keepAlive = false
      this.#visitor.finish()
    } else this.#visitor.breakOff()
  }

  /** There will be no response on this stream: from another session perhaps, else a code. */
  #failBefore(code: string, details: WireDetails): void {
    const { way } = this.#exchange
    if (this.#exchange.replay && this.#visitor.retry(code)) return
    this.#exchange.stream?.release()
    this.#exchange.stream = undefined
    if (way) {
      // The holder says by itself what its upstream did: this is about the way to the holder.
      const lost = code === 'SLUICE_UPSTREAM_INVALID' || code === ''
      this.#visitor.refuse(lost ? 'SLUICE_AGENT_LOST' : 'SLUICE_TUNNEL_OFFLINE', {})
      return
    }
    const known = upstreamCodes.has(code) ? (code as ErrorCode) : 'SLUICE_AGENT_LOST'
    this.#visitor.refuse(known, details)
  }

  onResume(): void {
    this.#visitor.resume()
  }

  /** The agent sent what no response can be. The visitor gets a 502, or sees the response break off. */
  #agentFault(reason: string): void {
    if (!this.#exchange.stream) return
    if (this.#exchange.responseStarted) {
      this.#exchange.stream.reset()
      this.#visitor.breakOff()
    } else this.#visitor.refuse('SLUICE_UPSTREAM_INVALID', { reason })
  }
}

/** Codes that an agent may give for the upstream. All others are the relay's own to say. */
const upstreamCodes = new Set([
  'SLUICE_UPSTREAM_REFUSED',
  'SLUICE_UPSTREAM_INVALID',
  'SLUICE_UPSTREAM_TIMEOUT',
])

/** Another relay's word that it does not hold the tunnel. Its upstream cannot give it: the name is the relays' own. */
function isStale(scanner: HeadScanner, head: Buffer): boolean {
  for (let index = 0; index < scanner.count; index += 1) {
    if (scanner.nameOf(head, index).toLowerCase() !== 'sluice-error') continue
    return scanner.valueOf(head, index) === 'SLUICE_ROUTE_STALE'
  }
  return false
}
