import type { Socket } from 'node:net'

import type { ErrorCode } from '@sluice/schema/errors'
import type { DirectSocket, DirectSockets, HeadScanner, Session } from '@sluice/wire'

import type { Peers } from '../peer/peers.ts'
import type { Compressors } from '../policy/compressed-stream.ts'
import type { WebhookCheck } from '../policy/webhook/webhook-check.ts'
import type { Asked, Places, Refusal, Route } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import type { HeldWrite } from './held-write.ts'
import type { Observed } from './observed.ts'
import type { VisitorConnection } from './visitor-connection.ts'

export interface EdgeTimeouts {
  /** From the first byte of a head to its last. */
  readonly headTimeoutMs: number
  /** Between requests of a connection. */
  readonly idleTimeoutMs: number
  /** From the whole request to the head of the response. There is no limit on response bodies or upgraded connections. */
  readonly responseHeadTimeoutMs: number
  /** Before its response begins, a request body brings at least `bodyBytesMin` in each of these spans; 0: it may take for ever. */
  readonly bodyTimeoutMs: number
  readonly bodyBytesMin: number
  /** How long a visitor may take nothing of what waits for it; 0: for ever. */
  readonly unreadTimeoutMs: number
}

/** What all visitor connections of a relay share. */
export interface EdgeContext {
  readonly scanner: HeadScanner
  /** Where OPEN payloads are built. */
  readonly scratch: Buffer
  readonly held: HeldWrite
  /** The short way to plain TCP. */
  readonly sockets: DirectSockets
  readonly timeouts: EdgeTimeouts
  readonly apex: string
  /** The public port for HTTPS that plain HTTP is redirected to; undefined: it is not. */
  readonly redirectPort?: number | undefined
  readonly places: Places
  route(asked: Asked): Route
  /** Why no session serves a host, here or elsewhere. */
  whyAbsent(endpointHost: string): Promise<ErrorCode>
  /** Other relays; undefined when there are none to forward to. */
  readonly peers: Peers | undefined
  /** A session with the gateway. */
  console(): Session | undefined
  /** Whether this request of the tunnel is to be recorded. */
  records(tunnel: TunnelSession, nowMs: number): boolean
  observe(observed: Observed): void
  readonly webhooks: WebhookCheck
  readonly compressors: Compressors
  /** A request of a tunnel was refused, and why. */
  rejected(refusal: Refusal & { readonly tunnel?: TunnelSession }): void
  forget(connection: VisitorConnection): void
  /** Why a request for the edge host is not an agent that may connect. */
  refuseAgent(head: Buffer): ErrorCode | undefined
  acceptAgent(socket: Socket | DirectSocket, head: Buffer, first: Buffer): void
}
