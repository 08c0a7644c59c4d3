import type { Socket } from 'node:net'

import { isErrorCode, type ErrorCode } from '@sluice/schema/errors'
import { Splice, encodeRawOpening, resetSocket } from '@sluice/wire'

import { paced } from '../policy/paced-stream.ts'
import { allowsAddress } from '../policy/policy.ts'
import { addressDenied } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import type { VisitorAddress } from '../tls/tls-visit.ts'
import type { RawContext } from './raw-context.ts'
import { rawRefusalOf } from './raw-refusal.ts'

export interface RawVisit {
  /** Accepted with `allowHalfOpen`; nobody reads it yet. */
  readonly socket: Socket
  /** Bytes of the visitor that were read already, such as a ClientHello. */
  readonly first?: Buffer
  readonly tunnel: TunnelSession
  /** Of the ClientHello; empty for plain TCP. */
  readonly serverName: string
  /** Who the visitor is, where another relay has brought its bytes. */
  readonly visitor?: VisitorAddress | undefined
}

const keepAliveMs = 30_000

/** One visitor's raw connection and its stream. */
export class RawConnection {
  readonly #context: RawContext
  readonly #visit: RawVisit
  readonly #splice: Splice
  readonly #visitorIp: string
  readonly #startedAt = Date.now()
  readonly #startedMs = performance.now()
  readonly #onClosed: () => void
  #countedIn = 0
  #countedOut = 0

  constructor(context: RawContext, visit: RawVisit, onClosed: () => void) {
    this.#context = context
    this.#visit = visit
    this.#visitorIp = visit.visitor?.visitorIp ?? addressOf(visit.socket)
    this.#onClosed = onClosed
    this.#splice = new Splice(visit.socket, context.sockets, ({ code }) => this.#close(code))
  }

  /** Opens the stream, unless the tunnel's policy is against it. */
  start(): void {
    const { socket, tunnel, first, serverName, visitor } = this.#visit
    const refusal = rawRefusalOf(tunnel, this.#visitorIp, this.#context.draining())
    if (refusal) {
      refuse(socket)
      this.#context.rejected({ ...refusal, tunnel })
      this.#observe(refusal.code)
      this.#onClosed()
      return
    }
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
    tunnel.active += 1
    tunnel.requests += 1
    tunnel.limits.rate?.take()
    const opening = encodeRawOpening({
      visitor: this.#visitorIp,
      visitorPort: visitor?.visitorPort ?? socket.remotePort ?? 0,
      endpoint: unmapped(socket.localAddress ?? ''),
      endpointPort: tunnel.claims.endpointPort ?? socket.localPort ?? 0,
      serverName,
    })
    const stream = tunnel.session.openStream(this.#splice, opening, 0, opening.length, false)
    this.#splice.start(paced(stream, tunnel.limits), first)
  }

  /** Adds what has passed since the last time to the tunnel's usage: a connection may last for days. */
  count(): void {
    const { tunnel } = this.#visit
    const { bytesIn, bytesOut } = this.#splice
    tunnel.bytesIn += bytesIn - this.#countedIn
    tunnel.bytesOut += bytesOut - this.#countedOut
    this.#countedIn = bytesIn
    this.#countedOut = bytesOut
  }

  /** The tunnel's policy has changed: a visitor whom it keeps out now is cut off. */
  enforce(tunnel: TunnelSession): void {
    if (this.#visit.tunnel !== tunnel || allowsAddress(tunnel.policy, this.#visitorIp)) return
    this.#context.rejected({ ...addressDenied, tunnel })
    this.#splice.reset(addressDenied.code)
  }

  destroy(): void {
    this.#splice.reset()
  }

  #close(code: string): void {
    this.#visit.tunnel.active -= 1
    this.count()
    this.#observe(isErrorCode(code) ? code : undefined)
    this.#onClosed()
  }

  #observe(code: ErrorCode | undefined): void {
    const { socket, tunnel, serverName } = this.#visit
    this.#context.observe({
      tunnel,
      protocol: serverName === '' ? 'TCP' : 'TLS',
      code,
      visitorIp: this.#visitorIp,
      endpoint:
        serverName === '' ? `:${tunnel.claims.endpointPort ?? socket.localPort}` : serverName,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#startedMs,
      bytesIn: this.#splice.bytesIn,
      bytesOut: this.#splice.bytesOut,
    })
  }
}

/** Ends a connection in the way a closed port would. */
export function refuse(socket: Socket): void {
  socket.on('error', () => undefined)
  resetSocket(socket)
}

export function addressOf(socket: Socket): string {
  return unmapped(socket.remoteAddress ?? '')
}

export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
