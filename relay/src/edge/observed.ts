import type { ErrorCode } from '@sluice/schema/errors'

import type { CapturedBytes } from '../observe/captured-bytes.ts'
import type { TunnelSession } from '../sessions.ts'

/** One visitor request as it ended. Strings of heads are there only when the request is to be recorded. */
export interface Observed {
  readonly tunnel: TunnelSession | undefined
  readonly status: number
  readonly code: ErrorCode | undefined
  readonly requestBytes: number
  readonly responseBytes: number
  readonly durationMs: number
  readonly firstByteMs: number | undefined
  readonly record: RecordedHeads | undefined
}

export interface RecordedHeads {
  readonly startedAt: number
  readonly endpointHost: string
  readonly method: string
  readonly path: string
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2' | 'WEBSOCKET'
  readonly visitorIp: string
  readonly requestHeaders: readonly (readonly [string, string])[]
  responseHeaders: readonly (readonly [string, string])[]
  /** Set where the tunnel wants bodies captured. */
  bodies?: CapturedBytes
}
