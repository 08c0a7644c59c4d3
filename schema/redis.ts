import { z } from 'zod'

/** Names of everything in Redis that more than one part touches. Nothing here may be the only copy of a fact. */
export const redisKeys = {
  /** Stream of `EventEnvelope`: what subgraphs tell each other. */
  events: 'sluice:events',
  /** Exists while Redis has not been emptied; publishers replay their outboxes when it is missing. */
  eventsMarker: 'sluice:events:marker',
  /** Stream of `RequestBatch`: relays to the inspector. */
  requests: 'sluice:requests',
  /** Stream of `UsageBatch`: relays to billing. */
  usage: 'sluice:usage',
  /** Hash of endpoint host → tunnel id of every tunnel that exists, so that a relay can tell offline (503) from unknown (404). */
  endpointHosts: 'sluice:endpoint-hosts',
  /** JSON `Presence` of one tunnel; expires after `presenceSeconds` unless the relay renews it. */
  presence: (tunnelId: string) => `sluice:presence:${tunnelId}`,
} as const

/** Pub/sub channels. The organization or tunnel is part of the name, so a subscriber hears its own only. */
export const redisChannels = {
  /** JSON `RequestRecord[]`, as they end. */
  traffic: (tunnelId: string) => `sluice:traffic:${tunnelId}`,
  /** JSON `TunnelStatusChange`. */
  tunnelStatus: (organizationId: string) => `sluice:tunnel-status:${organizationId}`,
  /** JSON `{ requestIds: string[] }` after they were stored; ids of `RequestRecord`. */
  requestsStored: (organizationId: string) => `sluice:requests-stored:${organizationId}`,
  /** JSON `Revocation`. */
  revocations: 'sluice:revocations',
} as const

export const presenceSeconds = 15
export const presenceRenewSeconds = 5

/** A relay's word that an agent session serves a tunnel. */
export const Presence = z.object({
  tunnelId: z.string(),
  organizationId: z.string(),
  relayId: z.string(),
  sessionId: z.string(),
  epoch: z.number().int(),
  since: z.iso.datetime(),
  agentVersion: z.string().max(64),
  /** Visitor connections being served now. */
  connections: z.number().int().nonnegative(),
})
export type Presence = z.infer<typeof Presence>

export const TunnelStatusChange = z.object({
  tunnelId: z.string(),
  organizationId: z.string(),
  status: z.enum(['ONLINE', 'OFFLINE', 'STOPPED', 'DELETED']),
  at: z.iso.datetime(),
})
export type TunnelStatusChange = z.infer<typeof TunnelStatusChange>

/** Sent once the row that says so is committed. Relay and gateway end what it names in under 2 s. */
export const Revocation = z.object({
  kind: z.enum(['tunnel', 'authtoken', 'sign-in', 'user', 'membership']),
  id: z.string(),
  /** ISO time; credentials issued before it are void. */
  at: z.iso.datetime(),
})
export type Revocation = z.infer<typeof Revocation>

const headerList = z.array(z.tuple([z.string(), z.string()])).max(100)

/** What one visitor request left behind: metadata only, secrets redacted by the relay before it leaves memory. */
export const RequestRecord = z.object({
  /** UUIDv7: sorts by time. */
  id: z.uuid(),
  organizationId: z.string(),
  tunnelId: z.string(),
  relayId: z.string(),
  endpointHost: z.string(),
  startedAt: z.iso.datetime(),
  method: z.string().max(64),
  /** As sent, cut at 2,048 characters. */
  path: z.string().max(2048),
  protocol: z.enum(['HTTP/1.0', 'HTTP/1.1', 'WEBSOCKET']),
  status: z.number().int(),
  /** A code of the catalogue when the edge or agent answered in the upstream's place. */
  code: z.string().nullable(),
  visitorIp: z.string(),
  requestBytes: z.number().nonnegative(),
  responseBytes: z.number().nonnegative(),
  /** Whole request, first byte in to last byte out. */
  durationMs: z.number().nonnegative(),
  /** Until the response head arrived from the agent; null when none did. */
  firstByteMs: z.number().nonnegative().nullable(),
  requestHeaders: headerList,
  responseHeaders: headerList,
})
export type RequestRecord = z.infer<typeof RequestRecord>

/** One entry of the requests stream (field `batch`, JSON). */
export const RequestBatch = z.object({
  id: z.uuid(),
  records: z.array(RequestRecord).max(500),
})
export type RequestBatch = z.infer<typeof RequestBatch>

/** One entry of the usage stream (field `batch`, JSON): what was counted since the batch before. */
export const UsageBatch = z.object({
  /** Counted once per id, however often it is delivered. */
  id: z.uuid(),
  relayId: z.string(),
  at: z.iso.datetime(),
  counts: z
    .array(
      z.object({
        organizationId: z.string(),
        tunnelId: z.string(),
        requests: z.number().int().nonnegative(),
        bytesIn: z.number().int().nonnegative(),
        bytesOut: z.number().int().nonnegative(),
      }),
    )
    .max(1000),
})
export type UsageBatch = z.infer<typeof UsageBatch>
