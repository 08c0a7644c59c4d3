import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type ClientSessionRequestOptions,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'

import { HeadScanner } from '../http/scan-head.ts'
import { headBytesMax, headerFieldsMax } from '../limits.ts'
import { Http2UpstreamSocket } from './http2-socket.ts'

export interface Http2UpstreamOptions {
  readonly tls: boolean
  /** Opens a connection, with ALPN `h2` where there is TLS. */
  readonly dial: () => Socket
}

/** Connections to one upstream at once. More streams than they take wait for their turn. */
const sessionsMax = 8
/** Of an upstream that has not said yet how many streams it takes. */
const streamsPresumed = 100
const idleMsMax = 30_000
const streamWindowBytes = 1_048_576
/** Returned on arrival: what waits is bounded per stream. */
const sessionWindowBytes = 16_777_216

/** One connection, and what it has under way. */
interface Pooled {
  readonly session: ClientHttp2Session
  streams: number
  connected: boolean
  /** What waits for the connection. */
  readonly onConnected: (() => void)[]
  /** The upstream has said its settings, or is gone. */
  readonly settled: Promise<unknown>
  idleSinceMs: number
}

export interface Http2Request {
  readonly stream: ClientHttp2Stream
  /** Calls back once there is a connection; at once if there is one. */
  onConnected(listener: () => void): void
}

/** The upstream's side of streams over HTTP/2: few connections, which all exchanges share. */
export class Http2Upstream {
  readonly #options: Http2UpstreamOptions
  readonly scanner = new HeadScanner()
  readonly #pool = new Set<Pooled>()

  constructor(options: Http2UpstreamOptions) {
    this.#options = options
  }

  get scheme(): 'http' | 'https' {
    return this.#options.tls ? 'https' : 'http'
  }

  get sessions(): number {
    return this.#pool.size
  }

  socket(): Http2UpstreamSocket {
    return new Http2UpstreamSocket(this)
  }

  request(headers: OutgoingHttpHeaders, options: ClientSessionRequestOptions): Http2Request {
    const pooled = this.#take()
    const { session } = pooled
    const stream = requestOn(session, headers, options)
    pooled.streams += 1
    stream.once('close', () => {
      pooled.streams -= 1
      pooled.idleSinceMs = performance.now()
    })
    return {
      stream,
      onConnected(listener) {
        if (pooled.connected) queueMicrotask(listener)
        else pooled.onConnected.push(listener)
      },
    }
  }

  /** Whether the upstream takes WebSockets over HTTP/2 (RFC 8441). Never longer in coming than its connection. */
  async takesWebSockets(): Promise<boolean> {
    const { session, settled } = this.#take()
    await settled
    return !session.destroyed && session.remoteSettings.enableConnectProtocol === true
  }

  closeIdle(nowMs: number): void {
    for (const { session, streams, idleSinceMs } of this.#pool) {
      if (streams === 0 && nowMs - idleSinceMs >= idleMsMax) session.close()
    }
  }

  close(): void {
    for (const { session } of this.#pool) session.destroy()
  }

  /** The least loaded connection, or one more while all are full. */
  #take(): Pooled {
    let best: Pooled | undefined
    for (const pooled of this.#pool) {
      if (pooled.session.closed || pooled.session.destroyed) continue
      if (!best || pooled.streams < best.streams) best = pooled
    }
    if (!best) return this.#connect()
    const full = best.connected
      ? (best.session.remoteSettings.maxConcurrentStreams ?? streamsPresumed)
      : streamsPresumed
    return best.streams >= full && this.#pool.size < sessionsMax ? this.#connect() : best
  }

  #connect(): Pooled {
    const socket = this.#options.dial()
    // A half-closed connection gives no more credit: it is over.
    socket.allowHalfOpen = false
    const options: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: headBytesMax,
      },
      maxHeaderListPairs: headerFieldsMax + 1,
      maxSendHeaderBlockLength: 2 * headBytesMax,
      // A visitor may repeat what has one value in most: which counts is the upstream's to say, as in HTTP/1.1.
      strictSingleValueFields: false,
    }
    const session = connect(`${this.scheme}://upstream`, options)
    const settled = new Promise((resolve) => {
      session.once('remoteSettings', resolve)
      session.once('close', resolve)
    })
    const pooled: Pooled = {
      session,
      streams: 0,
      connected: false,
      onConnected: [],
      settled,
      idleSinceMs: performance.now(),
    }
    session.once('connect', () => {
      pooled.connected = true
      session.setLocalWindowSize(sessionWindowBytes)
      for (const listener of pooled.onConnected.splice(0)) listener()
    })
    // Its streams hear of it, each for its exchange.
    session.on('error', () => undefined)
    session.once('close', () => this.#pool.delete(pooled))
    this.#pool.add(pooled)
    return pooled
  }
}

/** Node 20 takes no second value for a field that should have one. As one list they mean the same (RFC 9110 §5.3). */
function requestOn(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  options: ClientSessionRequestOptions,
): ClientHttp2Stream {
  try {
    return session.request(headers, options)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') throw error
    const lists = Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ])
    return session.request(Object.fromEntries(lists), options)
  }
}
