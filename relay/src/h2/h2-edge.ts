import type { TLSSocket } from 'node:tls'

import { HeadScanner } from '@sluice/wire'

import type { VisitorSocket } from '../edge/visitor-socket.ts'
import { h2Limits, type H2Limits } from './h2-limits.ts'
import { H2Visitor } from './h2-visitor.ts'

export interface H2EdgeOptions {
  readonly limits?: Partial<H2Limits> | undefined
  readonly idleTimeoutMs: number
}

/** The edge's side of HTTP/2: each stream becomes a socket of its own. */
export class H2Edge {
  readonly #options: H2EdgeOptions
  readonly #limits: H2Limits
  readonly #scanner = new HeadScanner()
  readonly #visitors = new Set<H2Visitor>()

  constructor(options: H2EdgeOptions) {
    this.#options = options
    this.#limits = { ...h2Limits, ...options.limits }
  }

  get connections(): number {
    return this.#visitors.size
  }

  /** Streams whose last bytes have not gone yet, though their exchange may be over. */
  get streams(): number {
    let streams = 0
    for (const visitor of this.#visitors) streams += visitor.streams
    return streams
  }

  /** Serves a connection whose handshake agreed on `h2`. `accept` takes a stream on, or says that there are too many. */
  serve(socket: TLSSocket, accept: (stream: VisitorSocket) => boolean): void {
    // Gone since its handshake.
    if (socket.destroyed) return
    const { idleTimeoutMs } = this.#options
    const visitor = new H2Visitor({
      socket,
      accept,
      idleTimeoutMs,
      limits: this.#limits,
      scanner: this.#scanner,
      onClose: (closed) => this.#visitors.delete(closed),
    })
    this.#visitors.add(visitor)
  }

  sweep(nowMs: number): void {
    for (const visitor of this.#visitors) visitor.sweep(nowMs)
  }

  /** Says GOAWAY: streams under way end in their own time. */
  retire(): void {
    for (const visitor of this.#visitors) visitor.retire()
  }

  destroy(): void {
    for (const visitor of this.#visitors) visitor.destroy()
  }
}
