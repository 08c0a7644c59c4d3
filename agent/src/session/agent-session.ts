import type { EventEmitter } from 'node:events'

import type { SluiceError } from '@sluice/schema/errors'

export interface AgentSessionOptions {
  /** Addresses of relays to dial (`ws://…/_sluice/session`), in order of preference. */
  readonly edgeUrls: readonly string[]
  /** Called on every connect and, for renewal, before the agent token expires. */
  readonly agentToken: () => Promise<string>
  readonly upstream: { readonly host: string; readonly port: number; readonly tls: boolean }
  /** `preserve` forwards the visitor's Host, `rewrite` sends the upstream's own, anything else is sent as it is. */
  readonly hostHeader: string
  readonly agentVersion: string
  /** PEM certificates to trust for `wss:` edges, instead of the system's. */
  readonly ca?: string
  /** Accepts any certificate of the relay: for development only. */
  readonly allowSelfSigned?: boolean
  readonly log?: (message: string, fields: Record<string, unknown>) => void
}

/** One request as the agent saw it end. */
export interface ForwardedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Set when the agent answered in the upstream's place. */
  readonly code?: string
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly visitorIp: string
  readonly startedAt: Date
}

export interface AgentSessionEvents {
  online: [{ relayUrl: string; sessionId: string; reconnected: boolean }]
  offline: [{ reason: string; retryInMs: number }]
  latency: [{ ms: number }]
  connections: [{ open: number; total: number }]
  request: [ForwardedRequest]
  fatal: [SluiceError]
}

/** An agent's session with a relay, kept up across losses until `close` or a fatal refusal. */
export interface AgentSession extends EventEmitter<AgentSessionEvents> {
  /** Lets the agent answer `GET /.well-known/sluice-verify/<nonce>` itself, for this nonce only. */
  expectRoundTrip(nonce: string): void
  /** Takes no new streams, lets those in flight finish for `graceMs`, then closes. */
  close(options: { graceMs: number }): Promise<void>
}
