import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'

import type { HeadScanner } from '@sluice/wire'

import type { VisitorSocket } from '../edge/visitor-socket.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { H2Limits } from './h2-limits.ts'
import { requestText } from './request-text.ts'
import { StreamSocket } from './stream-socket.ts'

export interface H2VisitorOptions {
  readonly socket: TLSSocket
  readonly limits: H2Limits
  readonly scanner: HeadScanner
  /** How long the connection is kept without a stream. */
  readonly idleTimeoutMs: number
  /** Takes a stream on, or says that there are too many. */
  readonly accept: (socket: VisitorSocket) => boolean
  readonly onClose: (visitor: H2Visitor) => void
}

/** A connection that was told to go has this long to be gone. */
const lingerMs = 5_000

/** One visitor's HTTP/2 connection: its streams, and what all of them together may do. */
export class H2Visitor {
  readonly #options: H2VisitorOptions
  readonly #session: ServerHttp2Session
  readonly #streams = new Set<StreamSocket>()
  readonly #resets: TokenBucket
  readonly #controlFrames: TokenBucket
  #idleSinceMs = performance.now()
  #closeAtMs = Infinity

  constructor(options: H2VisitorOptions) {
    this.#options = options
    const { socket, limits } = options
    this.#resets = new TokenBucket(limits.resetsPerSecond, limits.resetsBurst)
    this.#controlFrames = new TokenBucket(limits.controlFramesPerSecond, limits.controlFramesBurst)
    // Half a connection is none: a visitor that has closed its side can give no credit for what it still wants.
    socket.allowHalfOpen = false
    socket.setKeepAlive(true, 30_000)
    const session = performServerHandshake(socket, sessionOptions(limits))
    this.#session = session
    session.setLocalWindowSize(limits.connectionWindowBytes)
    session.on('stream', (stream, _headers, _flags, rawHeaders) => {
      // What goes wrong with a stream ends in its close.
      stream.on('error', () => undefined)
      if (stream.closed || stream.destroyed) this.#countReset()
      else this.#open(stream, rawHeaders)
    })
    session.on('ping', this.#countControlFrame)
    session.on('remoteSettings', this.#countControlFrame)
    // Whatever it is, the connection closes by it, and concerns its visitor alone.
    session.on('error', () => undefined)
    session.on('close', () => options.onClose(this))
  }

  get streams(): number {
    return this.#streams.size
  }

  /** Takes no further streams: the visitor opens them on another connection. */
  retire(): void {
    this.#session.close()
  }

  destroy(): void {
    this.#session.destroy()
  }

  /** Looks at what has stood still for too long; called about every second. */
  sweep(nowMs: number): void {
    if (nowMs >= this.#closeAtMs) {
      this.#session.destroy()
      return
    }
    for (const stream of this.#streams) {
      const sinceMs = stream.stalledSinceMs
      if (sinceMs !== undefined && nowMs - sinceMs >= this.#options.limits.stallMs) stream.giveUp()
    }
    const idle =
      this.#streams.size === 0 && nowMs - this.#idleSinceMs >= this.#options.idleTimeoutMs
    if (!idle || this.#closeAtMs < Infinity) return
    this.#closeAtMs = nowMs + lingerMs
    this.#session.close()
  }

  #open(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    const { accept, scanner, socket } = this.#options
    const { remoteAddress } = socket
    const request = requestText(rawHeaders, stream.endAfterHeaders)
    if (!request) {
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
      this.#countReset()
      return
    }
    const visitor = new StreamSocket({ stream, request, scanner, remoteAddress })
    if (!accept(visitor)) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      return
    }
    this.#streams.add(visitor)
    visitor.on('close', () => {
      this.#streams.delete(visitor)
      if (this.#streams.size === 0) this.#idleSinceMs = performance.now()
      if (!visitor.answered) this.#countReset()
    })
    visitor.start()
  }

  #countReset(): void {
    if (!this.#resets.take(performance.now())) this.#calm()
  }

  readonly #countControlFrame = (): void => {
    if (!this.#controlFrames.take(performance.now())) this.#calm()
  }

  #calm(): void {
    const calm = constants.NGHTTP2_ENHANCE_YOUR_CALM
    this.#session.destroy(new Error('more than one connection may ask for'), calm)
  }
}

function sessionOptions(limits: H2Limits): Parameters<typeof performServerHandshake>[1] {
  return {
    settings: {
      maxConcurrentStreams: limits.streamsMax,
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: limits.headBytesMax,
      enableConnectProtocol: true,
    },
    maxHeaderListPairs: limits.headFieldsMax,
    maxSessionMemory: limits.memoryMegabytesMax,
    maxSessionInvalidFrames: limits.invalidFramesMax,
    maxSessionRejectedStreams: limits.refusedStreamsMax,
    streamResetBurst: limits.resetsBurst,
    streamResetRate: limits.resetsPerSecond,
    // A response may repeat what has one value in most: which counts is the visitor's to say, as in HTTP/1.1.
    strictSingleValueFields: false,
    // A head that came through the tunnel is no larger than this, with what HTTP/2 counts beside it.
    maxSendHeaderBlockLength: 2 * limits.headBytesMax,
  }
}
