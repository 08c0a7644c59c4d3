import { z } from 'zod'

/** Names of everything in Redis that more than one part touches. Nothing here may be the only copy of a fact. */
export const redisKeys = {
  /** Stream of `EventEnvelope`: what subgraphs tell each other. */
  events: 'sluice:events',
  /** Exists while Redis has not been emptied; publishers replay their outboxes when it is missing. */
  eventsMarker: 'sluice:events:marker',
  /** Stream of `RequestBatch`: relays to the inspector. */
  requests: 'sluice:requests',
  /** Stream of `ForgeryBatch`: every part to identity. */
  forgeries: 'sluice:forgeries',
  /** Stream of `UsageBatch`: relays to billing. */
  usage: 'sluice:usage',
  /** Hash of endpoint host → tunnel id of every tunnel that exists, so that a relay can tell offline (503) from unknown (404). */
  endpointHosts: 'sluice:endpoint-hosts',
  /** Exists while that hash holds every host: what is not in it then does not exist. */
  endpointHostsComplete: 'sluice:endpoint-hosts:complete',
  /** JSON `Presence` of one tunnel; expires after `presenceSeconds` unless the relay renews it. */
  presence: (tunnelId: string) => `sluice:presence:${tunnelId}`,
  /** Hash of relay id → JSON `TunnelRoute`: the relays that hold sessions of a tunnel. Expires like presence. */
  routes: (tunnelId: string) => `sluice:routes:${tunnelId}`,
  /** The id of the tunnel that is served under an endpoint host, or under `tcp:<port>` or `udp:<port>`. Expires like presence. */
  routeOf: (name: string) => `sluice:route-of:${name}`,
  /** Hash of `tcp:<port>` or `udp:<port>` → JSON `{ tunnelId, seenAt }`: the ports that are served somewhere. Only the relays' scripts touch it. */
  ports: 'sluice:ports',
  /** Hash `{ request, response }` of body bytes, as the relay saw them, until the inspector has moved them. */
  bodies: (requestId: string) => `sluice:bodies:${requestId}`,
  /** Hash: what is left of a tunnel's request rate, and the relays that spend of it. Only the relays' script touches it. */
  requestRate: (tunnelId: string) => `sluice:request-rate:${tunnelId}`,
  /** The same of its bandwidth, in bytes. */
  bandwidth: (tunnelId: string) => `sluice:bandwidth:${tunnelId}`,
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
  /** JSON `CertificateChange`. */
  certificates: 'sluice:certificates',
  /** JSON `TunnelChange`: what agent tokens of a tunnel hold has changed. */
  tunnelChanges: 'sluice:tunnel-changes',
  /** Says nothing but that hosts of suspended organizations and people have become others: relays ask the graph anew. */
  closedHosts: 'sluice:closed-hosts',
  /** JSON `RouteChange`: among relays. */
  routes: 'sluice:routes',
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

/** One relay's hold on a tunnel. Of two that do not pool, the one with the higher epoch, then the later one, is right. */
export const TunnelRoute = z.object({
  relayId: z.string().min(1).max(64),
  /** Where other relays bring requests for it, `tcp://` or `tls://`; empty when they cannot. */
  peerUrl: z.string().max(500),
  epoch: z.number().int(),
  /** Microseconds by the clock of Redis when the session was opened. */
  at: z.string().regex(/^\d{1,17}$/),
  pooling: z.boolean(),
  /** TLS connections of its hosts go to the relay as they are: it makes the handshake, or passes it on. */
  handshake: z.boolean().optional(),
  /** How many sessions it has of the tunnel: more than one when they pool. */
  sessions: z.number().int().positive(),
  /** Seconds by the clock of Redis when the relay said so last. */
  seenAt: z.number(),
})
export type TunnelRoute = z.infer<typeof TunnelRoute>

/** A session was opened, or the last one of a relay has ended: what relays remember of the tunnel is void. */
export const RouteChange = z.object({
  tunnelId: z.string(),
  /** Endpoint hosts, or `tcp:<port>`, `udp:<port>`. */
  names: z.array(z.string().max(253)).max(64),
  relayId: z.string(),
  /** Its session was ended on purpose: nobody will come back soon. */
  stopped: z.boolean().optional(),
  /** Absent when the relay holds the tunnel no longer. */
  opened: z
    .object({ epoch: z.number().int(), at: z.string().max(17), pooling: z.boolean() })
    .optional(),
})
export type RouteChange = z.infer<typeof RouteChange>

export const TunnelStatusChange = z.object({
  tunnelId: z.string(),
  organizationId: z.string(),
  status: z.enum(['ONLINE', 'OFFLINE', 'STOPPED', 'DELETED']),
  at: z.iso.datetime(),
})
export type TunnelStatusChange = z.infer<typeof TunnelStatusChange>

/** Sent once the row that says so is committed. Relay and gateway end what it names in under 2 s. */
export const Revocation = z.object({
  kind: z.enum([
    'tunnel',
    'authtoken',
    'api-key',
    'sign-in',
    'user',
    'membership',
    'organization',
    'host',
  ]),
  /** Of a membership `<organizationId>:<userId>`; of a host its name, or `tcp:<port>`, `udp:<port>`. */
  id: z.string().max(253),
  /** ISO time; credentials issued before it are void. */
  at: z.iso.datetime(),
  /** What was suspended goes on: nothing ends, but whoever remembers the suspension asks again. */
  lifted: z.boolean().optional(),
  /** Why a host was suspended, for its agent. */
  reason: z.string().max(500).optional(),
})
export type Revocation = z.infer<typeof Revocation>

/** How long bodies wait in Redis for the inspector. */
export const bodiesWaitSeconds = 30

/** Sent once the change is committed. Relays have the agent fetch a new token; one that is missed comes with the next renewal. */
export const TunnelChange = z.object({ tunnelId: z.string() })
export type TunnelChange = z.infer<typeof TunnelChange>

/** Sent once the certificate of a custom domain has become another, or was removed. Relays ask the graph anew. */
export const CertificateChange = z.object({ domain: z.string().max(253) })
export type CertificateChange = z.infer<typeof CertificateChange>

const headerList = z.array(z.tuple([z.string(), z.string()])).max(100)

const CapturedPart = z.object({
  /** The body was longer than what was captured. */
  truncated: z.boolean(),
})

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
  /** As sent, cut at 2,048 characters. For a connection: port or server name, with the protocol as method, and status 0. */
  path: z.string().max(2048),
  protocol: z.enum(['HTTP/1.0', 'HTTP/1.1', 'HTTP/2', 'WEBSOCKET', 'TCP', 'TLS', 'UDP']),
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
  /** Which bodies wait in Redis; absent where none are captured. */
  bodies: z
    .object({ request: CapturedPart.nullable(), response: CapturedPart.nullable() })
    .optional(),
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

/** What somebody has to have signed, and did not. */
const forgeds = ['internal header', 'agent token', 'peer connection'] as const
export type Forged = (typeof forgeds)[number]

export const forgeriesInBatchMax = 100

/** What one part was shown within some seconds, by network. */
export const ForgeryBatch = z.object({
  part: z.string().min(1).max(80),
  seen: z
    .array(
      z.object({
        forged: z.enum(forgeds),
        ip: z.string().max(64),
        count: z.number().int().positive(),
      }),
    )
    .max(forgeriesInBatchMax),
})
export type ForgeryBatch = z.infer<typeof ForgeryBatch>
