import type { ErrorCode } from '@sluice/schema/errors'
import type { DirectSockets } from '@sluice/wire'

import type { Refusal } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'

/** One connection, or one flow of datagrams, as it ended. */
export interface ObservedConnection {
  readonly tunnel: TunnelSession
  readonly protocol: 'TCP' | 'TLS' | 'UDP'
  readonly code: ErrorCode | undefined
  readonly visitorIp: string
  /** Where it arrived: the server name, or the port. */
  readonly endpoint: string
  readonly startedAt: number
  readonly durationMs: number
  /** From the visitor, and to it. */
  readonly bytesIn: number
  readonly bytesOut: number
}

export type DatagramDropReason =
  | 'offline'
  | 'denied'
  | 'flows'
  | 'bandwidth'
  | 'amplification'
  | 'visitor-slow'
  | 'relay-slow'

/** What raw connections and datagrams need of the rest of the relay. */
export interface RawContext {
  /** Shared with the other sockets of the process. */
  readonly sockets: DirectSockets
  /** Address to bind. */
  readonly host: string
  /** Other processes of this relay listen beside it. */
  readonly reusePort?: boolean | undefined
  /** Visitor connections at once; more are closed unanswered. */
  readonly connectionsMax: number
  /** The session for the next visitor of `tcp:<port>` or `udp:<port>`. */
  find(name: string): TunnelSession | undefined
  draining(): boolean
  rejected(refusal: Refusal & { readonly tunnel: TunnelSession }): void
  /** A connection or flow has ended, or was refused. Its bytes are in the tunnel's usage already. */
  observe(observed: ObservedConnection): void
  onDatagramDropped(reason: DatagramDropReason): void
}
