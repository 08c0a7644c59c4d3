import type { Datagram } from './datagram.ts'
import type { GoAway, Hello, Policy, Refusal, Welcome } from './message.ts'
import type { Slab, SlabPool } from './socket/slab.ts'
import type { TunnelStream } from './stream.ts'

/** Everything a session needs of the world, so that a simulator can be the world. */
export interface SessionIo {
  /** Monotonic milliseconds. */
  now(): number
  /** Runs once, later; returns what cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
  /** Runs at the end of this event-loop turn. */
  defer(callback: () => void): void
  /**
   * Sends one message, which starts with `messageHeadroomBytes` free bytes. It may be kept beyond the call only while the
   * slab is held; without a slab it is for keeps. False: wait for `linkDrained`.
   */
  send(parts: Buffer[], payloadBytes: number, slab: Slab | undefined): boolean
  /** Where messages are built; without them the session has its own. */
  readonly slabs?: SlabPool
  /** For large pieces of bodies that have to wait. */
  readonly chunks?: SlabPool
  /** Closes the link; `abrupt` without waiting for what was sent. */
  close(code: number, abrupt: boolean): void
}

export interface SessionEvents {
  onHello?(hello: Hello): void
  onWelcome?(welcome: Welcome): void
  onRefused?(refusal: Refusal): void
  onToken?(agentToken: string): void
  onPolicy?(policy: Policy): void
  onGoAway?(goAway: GoAway): void
  /** The relay wants a fresh agent token now. */
  onRenew?(): void
  onDatagram?(datagram: Datagram): void
  onLatency?(ms: number): void
  /** The relay opened a stream. Set `stream.events` before returning, and copy what of the payload must outlive the call. */
  onOpen?(stream: TunnelStream, payload: Buffer, ended: boolean): void
  /** All frames of a chunk were handled. */
  onChunkEnd?(): void
  /** Once, after which nothing is heard. All streams were reset before. */
  onClose(reason: string): void
}

export interface SessionWindows {
  readonly streamWindowBytes: number
  readonly sessionWindowBytes: number
}
