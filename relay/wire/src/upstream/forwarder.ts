import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { frameFlag, frameType } from '../frame.ts'
import { HeadScanner } from '../http/scan-head.ts'
import { openHeadStart, openVisitor } from '../open-head.ts'
import { DirectSockets } from '../socket/direct-socket.ts'
import type { TunnelStream } from '../stream.ts'
import { UpstreamConnection } from './connection.ts'
import type { ExchangeListeners } from './exchange-report.ts'
import { Http2Upstream } from './http2-upstream.ts'
import { proxyHeader, type ProxyProtocolVersion } from './proxy-protocol.ts'
import { Turns } from './turns.ts'

export type UpstreamProtocol = 'http1' | 'http2'

export interface UpstreamAddress {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** `http2`: by prior knowledge, or by ALPN where there is TLS. */
  readonly protocol?: UpstreamProtocol | undefined
  /** Resolves the name at each connection, and refuses where it must not lead. */
  readonly lookup?: LookupFunction | undefined
}

export interface ForwarderOptions extends ExchangeListeners {
  readonly upstream: UpstreamAddress
  /** `preserve`, `rewrite` to the upstream's own, or the value to send. */
  readonly hostHeader: string
  /** Answers a request in the upstream's place when it returns a whole response. Sees the head as OPEN brought it. */
  readonly answer?: (payload: Buffer, headStart: number) => Buffer | undefined
  /** Tells the upstream who the visitor is, before all other bytes: each request then has a connection of its own. Not over HTTP/2. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined
  readonly onStreams?: (open: number, total: number) => void
  /** Opens a connection to the upstream, in place of the plain or TLS one to its address. */
  readonly dial?: () => Socket
  /**
   * Streams are opened between two polls of the event loop, as by a session in memory, and the upstream is one of ours: what
   * the next poll reads is the answer, not something that was there before.
   */
  readonly betweenPolls?: boolean
  readonly connectTimeoutMs?: number
  /** Shared with the other sockets of the process. */
  readonly sockets?: DirectSockets | undefined
}

/** Idle connections are given up before a common server (5 s) would, so that none is taken while the upstream closes it. */
const idleMsMax = 4_000
const idleConnectionsMax = 256
const connectTimeoutMs = 10_000

/** The upstream's side of streams: speaks to one address, in HTTP/1.1 over kept-alive connections, or in HTTP/2 over few. */
export class Forwarder {
  readonly options: ForwarderOptions
  readonly scanner = new HeadScanner()
  readonly host: string | undefined
  readonly sockets: DirectSockets
  readonly #idle: UpstreamConnection[] = []
  /** Idle or not. */
  readonly #connections = new Set<UpstreamConnection>()
  #busy = 0
  /** When idle connections were last looked at: soon enough to say since when one is. */
  #sweptAtMs = performance.now()
  readonly #http2: Http2Upstream | undefined
  readonly #sweep: NodeJS.Timeout
  #total = 0

  constructor(options: ForwarderOptions) {
    this.options = options
    this.host = hostToSend(options)
    this.sockets = options.sockets ?? new DirectSockets()
    const { upstream } = options
    if (upstream.protocol === 'http2') {
      this.#http2 = new Http2Upstream({ tls: upstream.tls, dial: () => this.#dial() })
    }
    this.#sweep = setInterval(() => {
      this.#sweptAtMs = performance.now()
      this.#closeIdle(this.#sweptAtMs - idleMsMax)
      this.#http2?.closeIdle(this.#sweptAtMs)
    }, 1_000)
    this.#sweep.unref()
  }

  readonly turns = new Turns()

  get openStreams(): number {
    return this.#busy
  }

  /** Takes over a stream that the relay opened. */
  open(stream: TunnelStream, payload: Buffer, ended: boolean): void {
    this.#total += 1
    const headStart = openHeadStart(payload)
    const answer = this.options.answer?.(payload, headStart)
    if (answer) {
      answerWith(stream, answer)
      return
    }
    const connection = this.#idle.pop() ?? this.#connect(payload)
    this.#take(connection)
    this.options.onStreams?.(this.#busy, this.#total)
    connection.start(stream, payload, headStart, ended)
  }

  /** A connection is done with its exchange; `reusable` only when both messages ended where their framing said. */
  release(connection: UpstreamConnection, reusable: boolean): void {
    if (connection.busy) this.#busy -= 1
    connection.busy = false
    const { proxyProtocol } = this.options
    if (reusable && proxyProtocol === undefined && this.#idle.length < idleConnectionsMax) {
      connection.idleSinceMs = this.#sweptAtMs
      this.#idle.push(connection)
    } else this.#destroy(connection)
    this.options.onStreams?.(this.#busy, this.#total)
  }

  /** An idle connection was closed by the upstream, or said something nobody asked for. */
  discard(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    this.#destroy(connection)
  }

  /** For a second try after a kept-alive connection turned out dead. */
  reopen(from: UpstreamConnection): UpstreamConnection {
    if (from.busy) this.#busy -= 1
    from.busy = false
    this.#connections.delete(from)
    const connection = this.#connect()
    this.#take(connection)
    return connection
  }

  close(): void {
    clearInterval(this.#sweep)
    this.#idle.length = 0
    for (const connection of this.#connections) {
      connection.busy = false
      connection.destroy()
    }
    this.#connections.clear()
    this.#busy = 0
    this.#http2?.close()
  }

  #closeIdle(beforeMs: number): void {
    // Oldest first: the newest is taken first.
    for (
      let [oldest] = this.#idle;
      oldest && oldest.idleSinceMs < beforeMs;
      [oldest] = this.#idle
    ) {
      this.#idle.shift()
      this.#destroy(oldest)
    }
  }

  #take(connection: UpstreamConnection): void {
    connection.busy = true
    this.#busy += 1
  }

  #destroy(connection: UpstreamConnection): void {
    this.#connections.delete(connection)
    connection.destroy()
  }

  /** `payload`: the OPEN that the connection is for. */
  #connect(payload?: Buffer): UpstreamConnection {
    const { options } = this
    const { proxyProtocol } = options
    const preface = proxyProtocol && payload && prefaceOf(proxyProtocol, payload)
    const socket = this.#http2?.socket() ?? this.#dial(preface)
    const timeoutMs = options.connectTimeoutMs ?? connectTimeoutMs
    const connection = new UpstreamConnection(this, socket, timeoutMs)
    this.#connections.add(connection)
    return connection
  }

  #dial(preface?: Buffer): Socket {
    return this.options.dial?.() ?? dial(this.options.upstream, preface)
  }
}

/** Connects to an upstream, so that each half may end by itself. `preface` goes before everything, TLS included. */
export function dial(
  { host, port, tls, protocol, lookup }: UpstreamAddress,
  preface?: Buffer,
): Socket {
  const address = host === 'localhost' || !/\.localhost\.?$/i.test(host) ? host : '127.0.0.1'
  // Half-closed upstreams may still read; whether to go on is decided per exchange.
  const options = { host: address, port, lookup, allowHalfOpen: true, noDelay: true }
  const socket = tls && !preface ? undefined : connectTcp(options)
  if (preface) socket?.write(preface)
  if (socket && !tls) return socket
  // The upstream is the developer's own, often self-signed, and named by them: there is no one to impersonate it to.
  return connectTls({
    ...options,
    ...(socket ? { socket } : {}),
    rejectUnauthorized: false,
    servername: nameOf(host),
    ...(protocol === 'http2' ? { ALPNProtocols: ['h2'] } : {}),
  })
}

/** A request comes without the visitor's port and the relay's address: they are said to be unknown. */
function prefaceOf(version: ProxyProtocolVersion, payload: Buffer): Buffer {
  const unknown = { visitorPort: 0, endpoint: '', endpointPort: 0, serverName: '' }
  return proxyHeader(version, { ...unknown, visitor: openVisitor(payload) })
}

/** A server name must not be an address. */
function nameOf(host: string): string {
  return /^[0-9.]+$|:/.test(host) ? '' : host
}

function hostToSend({ hostHeader, upstream }: ForwarderOptions): string | undefined {
  if (hostHeader === 'preserve') return undefined
  if (hostHeader !== 'rewrite') return hostHeader
  const host = upstream.host.includes(':') ? `[${upstream.host}]` : upstream.host
  return upstream.port === (upstream.tls ? 443 : 80) ? host : `${host}:${upstream.port}`
}

function answerWith(stream: TunnelStream, response: Buffer): void {
  stream.events = {
    borrows: true,
    onHead() {},
    onData: (piece) => stream.drained(piece.length),
    onEnd() {},
    onReset() {},
    onResume() {},
  }
  const bodyStart = response.indexOf('\r\n\r\n') + 4
  stream.head(frameType.head | frameFlag.own, response, 0, bodyStart, false)
  stream.data(response.subarray(bodyStart), true)
}
