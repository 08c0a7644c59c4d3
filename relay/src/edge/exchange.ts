import type { ErrorCode } from '@sluice/schema/errors'
import type { BodyKind, DirectSockets } from '@sluice/wire'

import type { PeerWay } from '../peer/peers.ts'
import { CompressedStream } from '../policy/compressed-stream.ts'
import { paced, type ExchangeStream } from '../policy/paced-stream.ts'
import { allowsAddress } from '../policy/policy.ts'
import type { TunnelLimits } from '../policy/tunnel-limits.ts'
import { addressDenied } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'
import type { Observed, RecordedHeads } from './observed.ts'
import type { Replay } from './replay.ts'

/** The request that a connection serves now, and its response. One per connection, used again for each request. */
export class Exchange {
  readonly #clock: Pick<DirectSockets, 'nowMs'>
  stream: ExchangeStream | undefined
  tunnel: TunnelSession | undefined
  /** The tunnel counts this exchange among those that it serves. */
  entered = false
  minorVersion = 1
  keepAlive = true
  toHead = false
  html = false
  /** A gRPC call: its two ends agree on deadlines, and may both be silent until then. */
  grpc = false
  upgrade = ''
  requestKind: BodyKind = 'none'
  requestEnded = false
  responseStarted = false
  responseEnded = false
  informational = 0
  upgraded = false
  status = 0
  code: ErrorCode | undefined
  requestBytes = 0
  /** The agent's check of the way to itself: nobody's traffic. */
  unseen = false
  record: RecordedHeads | undefined
  /** Another relay serves it. */
  way: PeerWay | undefined
  leaveWay: (() => void) | undefined
  /** Set while the request may be sent once more. */
  replay: Replay | undefined
  /** 0: none is under way. */
  startedMs = 0
  firstByteMs: number | undefined

  constructor(clock: Pick<DirectSockets, 'nowMs'>) {
    this.#clock = clock
  }

  start(): void {
    this.startedMs = this.#clock.nowMs()
    this.toHead = false
    this.html = false
    this.grpc = false
    this.upgrade = ''
    this.requestEnded = false
    this.responseStarted = false
    this.responseEnded = false
    this.informational = 0
    this.status = 0
    this.code = undefined
    this.requestBytes = 0
    this.unseen = false
    this.record = undefined
    this.firstByteMs = undefined
    this.tunnel = undefined
    this.replay = undefined
  }

  /** It has got a bandwidth limit: what is under way keeps to it from now on. */
  pace(limits: TunnelLimits): void {
    const { stream, tunnel } = this
    if (!stream || tunnel?.limits !== limits) return
    if (stream instanceof CompressedStream) stream.pace(limits)
    else this.stream = paced(stream, limits)
  }

  /** Whether the tunnel's policy keeps this visitor out now, which ends it: a WebSocket or a response that lasts does not begin anew. */
  forbids(tunnel: TunnelSession, visitorIp: string): boolean {
    if (this.tunnel !== tunnel || allowsAddress(tunnel.policy, visitorIp)) return false
    this.code = addressDenied.code
    return true
  }

  /** It gets an answer of the relay's own. Says what that tells of the connection. */
  refuse(code: ErrorCode): 'close' | 'keep-alive' | '' {
    this.stream?.reset()
    this.stream?.release()
    this.code = code
    if (!this.requestEnded || this.upgrade !== '') this.keepAlive = false
    if (!this.keepAlive) return 'close'
    return this.minorVersion === 0 ? 'keep-alive' : ''
  }

  /** Lets go of the session that was to serve it: another one will. */
  leave(): void {
    const { stream, tunnel, entered } = this
    this.stream = undefined
    this.tunnel = undefined
    this.entered = false
    if (stream && !stream.closed) stream.reset()
    stream?.release()
    if (tunnel && entered) tunnel.active -= 1
    this.record = undefined
    this.leavePeer()
  }

  leavePeer(): void {
    this.leaveWay?.()
    this.leaveWay = undefined
    this.way = undefined
  }

  /** Lets go of stream and tunnel, and answers once what is to be counted. */
  end(responseBytes: number): Observed | undefined {
    const { stream, tunnel, entered, record, startedMs } = this
    this.stream = undefined
    this.tunnel = undefined
    if (stream && !stream.closed) stream.reset()
    this.entered = false
    if (tunnel && entered) tunnel.active -= 1
    if (this.way) this.leavePeer()
    this.replay = undefined
    if (startedMs === 0) return undefined
    this.startedMs = 0
    this.record = undefined
    return {
      tunnel: this.unseen ? undefined : tunnel,
      status: this.status,
      code: this.code,
      requestBytes: this.requestBytes,
      responseBytes,
      durationMs: this.#clock.nowMs() - startedMs,
      firstByteMs: this.firstByteMs,
      record,
    }
  }
}
