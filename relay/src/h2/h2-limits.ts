import { headBytesMax, headerFieldsMax } from '@sluice/wire'

/** What one visitor's HTTP/2 connection may make the relay hold or do. */
export interface H2Limits {
  /** Requests at once. No more than the connections of the smallest plan, so that one browser alone never meets that limit. */
  readonly streamsMax: number
  /** Of a request's body that nobody has taken yet. Times `streamsMax`: what stuck uploads of one connection can hold. */
  readonly streamWindowBytes: number
  /** Bodies on their way here. It returns on arrival, so that a stuck upload holds only its own stream. */
  readonly connectionWindowBytes: number
  /** A head unpacked, counted as RFC 9113 §6.5.2 does. CONTINUATION frames and packed bombs end here. */
  readonly headBytesMax: number
  readonly headFieldsMax: number
  /** Of node:http2's own bookkeeping, in its unit. */
  readonly memoryMegabytesMax: number
  /** Streams that end before their response: by visitors (rapid reset), or by us for what they sent (made-you-reset). */
  readonly resetsBurst: number
  readonly resetsPerSecond: number
  /** PING and SETTINGS, each of which we must answer. */
  readonly controlFramesBurst: number
  readonly controlFramesPerSecond: number
  /** Frames that break the protocol without ending the connection. */
  readonly invalidFramesMax: number
  /** Streams beyond `streamsMax` that a visitor tries all the same. */
  readonly refusedStreamsMax: number
  /** How long a visitor may leave bytes of a response untaken. */
  readonly stallMs: number
}

export const h2Limits: H2Limits = {
  streamsMax: 100,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 4_194_304,
  headBytesMax,
  // The pseudo-header fields come beside those of HTTP/1.1.
  headFieldsMax: headerFieldsMax + 5,
  memoryMegabytesMax: 16,
  resetsBurst: 500,
  resetsPerSecond: 50,
  controlFramesBurst: 500,
  controlFramesPerSecond: 20,
  invalidFramesMax: 100,
  refusedStreamsMax: 100,
  stallMs: 120_000,
}
