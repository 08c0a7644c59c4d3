import { z } from 'zod'

/** `typ` and audience of each JWT, pinned by whoever verifies (RFC 8725 §3.11). */
export const agentTokenType = 'agent+jwt'
export const agentTokenAudience = 'sluice:relay'
export const signInTokenType = 'at+jwt'
export const signInTokenAudience = 'sluice:gateway'
export const tokenIssuer = 'sluice'

export const agentTokenSeconds = 300
export const signInTokenSeconds = 900

/** One user of edge basic auth: the password never travels, only `sha256:<salt hex>:<digest hex>` of salt and password. */
const BasicAuthUser = z.object({ user: z.string().min(1).max(128), verifier: z.string().max(200) })

/** What the edge checks before a request reaches the agent. Absent means: no such check. */
export const EdgePolicy = z.object({
  basicAuth: z.array(BasicAuthUser).max(50).optional(),
  /** CIDR blocks or single addresses, IPv4 or IPv6. */
  allowIps: z.array(z.string().max(64)).max(200).optional(),
  denyIps: z.array(z.string().max(64)).max(200).optional(),
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
  kind: z.enum(['http']),
  /** Endpoint hosts in lower case without port: the tunnel's own, then verified custom domains. */
  endpointHosts: z.array(z.string().max(253)).min(1).max(50),
  tlsMode: z.enum(['terminate']),
  region: z.string().max(32),
  /** Rises by one with each start of the tunnel: of two sessions the higher epoch owns the hosts. */
  epoch: z.number().int().nonnegative(),
  policy: EdgePolicy,
  maxConcurrentConns: z.number().int().positive(),
})
export type AgentTokenClaims = z.infer<typeof AgentTokenClaims>
