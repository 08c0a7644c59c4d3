import { z } from 'zod'

/** What an organization may do, and how much of it. Billing owns the numbers; tunnels keeps a copy. */
export const Entitlements = z.object({
  maxTunnels: z.number().int().positive(),
  maxConcurrentConnections: z.number().int().positive(),
  maxCustomDomains: z.number().int().nonnegative(),
  /** Whether it may have tunnels of TCP and UDP, with public ports of their own. */
  portTunnels: z.boolean().default(false),
  maxMembers: z.number().int().positive(),
  requestsPerPeriod: z.number().int().positive(),
  bytesPerPeriod: z.number().int().positive(),
  requestLogDays: z.number().int().positive(),
})
export type Entitlements = z.infer<typeof Entitlements>

/** What the free plan allows, and so every organization until billing has told. */
export const freeEntitlements: Entitlements = {
  maxTunnels: 3,
  maxConcurrentConnections: 20,
  maxCustomDomains: 1,
  // Open ports of a free plan are what abusers look for.
  portTunnels: false,
  maxMembers: 3,
  requestsPerPeriod: 20_000,
  bytesPerPeriod: 1024 ** 3,
  requestLogDays: 1,
}

/** Facts that other subgraphs react to. A payload is parsed before use: it may be from the last release. */
export const events = {
  'organization.created': z.object({
    organizationId: z.uuid(),
    name: z.string(),
    createdBy: z.uuid(),
  }),
  'authtoken.revoked': z.object({ organizationId: z.uuid(), authtokenId: z.uuid() }),
  'entitlements.changed': z.object({
    organizationId: z.uuid(),
    planId: z.string(),
    entitlements: Entitlements,
  }),
  'domain.attached': z.object({
    organizationId: z.uuid(),
    domainId: z.uuid(),
    domain: z.string(),
    tunnelId: z.uuid(),
  }),
  'domain.detached': z.object({ organizationId: z.uuid(), domainId: z.uuid(), domain: z.string() }),
  'tunnel.created': z.object({
    organizationId: z.uuid(),
    tunnelId: z.uuid(),
    endpointHost: z.string(),
  }),
  'tunnel.deleted': z.object({
    organizationId: z.uuid(),
    tunnelId: z.uuid(),
    endpointHost: z.string(),
  }),
} as const satisfies Record<string, z.ZodType>

export type EventName = keyof typeof events
export type EventPayload<N extends EventName> = z.infer<(typeof events)[N]>

/** One entry of the events stream (field `event`, JSON). Consumers drop an id they have seen and a version below the one they hold. */
export const EventEnvelope = z.object({
  id: z.uuid(),
  name: z.string(),
  /** The entity the event is about, for ordering: `organization:<id>`, `domain:<id>`, `tunnel:<id>`. */
  entity: z.string(),
  /** Rises with every event of the entity from this source. */
  version: z.number().int().positive(),
  occurredAt: z.iso.datetime(),
  payload: z.unknown(),
})
export type EventEnvelope = z.infer<typeof EventEnvelope>

/** Payloads of jobs (Bull data). They only wake a worker: what must happen is a row. */
export const TlsProbeDue = z.object({ domainId: z.uuid() })
export type TlsProbeDue = z.infer<typeof TlsProbeDue>
