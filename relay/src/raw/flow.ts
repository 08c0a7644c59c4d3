import type { FlowOrigin } from '@sluice/wire'

import type { TunnelSession } from '../sessions.ts'
import type { ReplyWay, Source } from './datagram-link.ts'
import type { ReplySource } from './reply-budget.ts'

/** One visitor's address and port. */
export class Flow {
  readonly number: number
  /** As the socket knows it that its datagrams reach. */
  readonly visitor: Source
  /** Where replies go: to the socket here, or to the relay that its datagrams reach. */
  way: ReplyWay
  readonly origin: FlowOrigin
  readonly source: ReplySource
  tunnel: TunnelSession
  readonly startedAt = Date.now()
  readonly startedMs = performance.now()
  usedMs = 0
  /** The agent of this session has answered, so it knows the flow. */
  answered = false
  bytesIn = 0
  bytesOut = 0

  constructor(
    number: number,
    visitor: Source,
    way: ReplyWay,
    origin: FlowOrigin,
    tunnel: TunnelSession,
    source: ReplySource,
  ) {
    this.number = number
    this.visitor = visitor
    this.way = way
    this.origin = origin
    this.tunnel = tunnel
    this.source = source
  }

  get key(): string {
    return keyOf(this.visitor)
  }

  countIn(bytes: number): void {
    this.bytesIn += bytes
    this.tunnel.bytesIn += bytes
  }

  countOut(bytes: number): void {
    this.bytesOut += bytes
    this.tunnel.bytesOut += bytes
  }
}

/** By what a flow is found. */
export function keyOf({ address, port }: Source): string {
  return `${address}:${port}`
}
