import { z } from 'zod'

import { webhookProviders } from './edge-policy.ts'

/** `typ` and audience of each JWT, pinned by whoever verifies (RFC 8725 §3.11). */
export const agentTokenType = 'agent+jwt'
export const agentTokenAudience = 'sluice:relay'
export const signInTokenType = 'at+jwt'
export const signInTokenAudience = 'sluice:gateway'
export const tokenIssuer = 'sluice'

export const agentTokenSeconds = 300
export const signInTokenSeconds = 900

/**
 * A gateway acts for so long on what it remembers of a credential. What is issued in that time after a revocation may
 * stand on what was revoked.
 */
export const authenticationCachedMs = 5_000

/** One user of edge basic auth: the password never travels, only `scrypt:<log2 N>:<salt hex>:<digest hex>` (r 8, p 1), or `sha256:…` of earlier releases. */
const BasicAuthUser = z.object({ user: z.string().min(1).max(128), verifier: z.string().max(200) })

const HeaderName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
const HeaderChanges = z.object({
  /** In this order, behind what is there. */
  add: z
    .array(z.tuple([HeaderName, z.string().max(4096)]))
    .max(50)
    .optional(),
  remove: z.array(HeaderName).max(50).optional(),
})

/** What the edge checks and changes on the way to the agent and back. Absent means: no such thing. */
export const EdgePolicy = z.object({
  basicAuth: z.array(BasicAuthUser).max(50).optional(),
  /** CIDR blocks or single addresses, IPv4 or IPv6. */
  allowIps: z.array(z.string().max(64)).max(200).optional(),
  denyIps: z.array(z.string().max(64)).max(200).optional(),
  /** Requests of the tunnel over all relays. */
  requestRate: z
    .object({ perSecond: z.number().positive().max(100_000), burst: z.number().int().positive() })
    .optional(),
  requestHeaders: HeaderChanges.optional(),
  responseHeaders: HeaderChanges.optional(),
  /** Compresses responses that are text and not compressed yet. */
  compression: z.boolean().optional(),
  /** Lets only requests pass whose signature of this provider is right. PayPal: the secret is the webhook id. */
  webhook: z
    .object({ provider: z.enum(webhookProviders), secret: z.string().min(1).max(512) })
    .optional(),
  /** Browsers are asked once whether they want to go on: for tunnels of unverified accounts. */
  interstitial: z.boolean().optional(),
  /** PEM certificates: a visitor must show one that they have signed (TLS listeners only). */
  visitorCa: z.string().max(16_384).optional(),
})
export type EdgePolicy = z.infer<typeof EdgePolicy>

/** What an agent token (JWT, EdDSA, 5 minutes) lets one agent session serve on a relay. */
export const AgentTokenClaims = z.object({
  iss: z.literal(tokenIssuer),
  aud: z.literal(agentTokenAudience),
  /** The id of the agent token, for revocation. */
  jti: z.string(),
  iat: z.number(),
  exp: z.number(),
  /** The authtoken or user that started the tunnel. */
  sub: z.string(),
  organizationId: z.string(),
  tunnelId: z.string(),
  kind: z.enum(['http', 'tcp', 'tls', 'udp']),
  /** Endpoint hosts in lower case without port: the tunnel's own, then verified custom domains. None for `tcp` and `udp`. */
  endpointHosts: z.array(z.string().max(253)).max(50),
  /** The public port of a `tcp` or `udp` tunnel, the same on every relay. */
  endpointPort: z.number().int().min(1).max(65_535).optional(),
  /** `passthrough` for kind `tls` only: the relay never sees plain bytes. */
  tlsMode: z.enum(['terminate', 'passthrough']),
  region: z.string().max(32),
  /** Rises by one with each start of the tunnel: of two sessions the higher epoch owns the hosts. */
  epoch: z.number().int().nonnegative(),
  /** Sessions of one epoch serve together instead of replacing each other. */
  pooling: z.boolean().optional(),
  policy: EdgePolicy,
  maxConcurrentConns: z.number().int().positive(),
  /** Its credential ends when it does: no outage excuses a session past it. */
  final: z.literal(true).optional(),
  /** The beginnings of bodies are kept for people to look at. */
  captureBodies: z.boolean().optional(),
  /** Both directions together. Absent: no limit. */
  bandwidthBytesPerSecond: z.number().int().positive().optional(),
})
export type AgentTokenClaims = z.infer<typeof AgentTokenClaims>
