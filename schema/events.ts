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

/** What is audited outside identity. Names are shown, filtered by and exported: add, never rename. */
export const actActions = [
  'tunnel.created',
  'tunnel.changed',
  'tunnel.started',
  'tunnel.stopped',
  'tunnel.deleted',
  'organization.visit-notice-changed',
  'relay.registered',
  'relay.drained',
  'domain.added',
  'domain.verified',
  'domain.attached',
  'domain.detached',
  'domain.removed',
  'certificate.set',
  'certificate.removed',
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'webhook.secret-rotated',
  'webhook.replayed',
  'webhook.disabled',
  'plan.started',
  'plan.changed',
  'plan.ended',
  'entitlements.changed',
  'host.suspended',
  'host.unsuspended',
] as const
export type ActAction = (typeof actActions)[number]

/** Who can have done something. `system` is the platform itself. */
export const actorKinds = [
  'user',
  'authtoken',
  'api-key',
  'service-account',
  'scim-token',
  'relay',
  'system',
] as const
export type ActorKind = (typeof actorKinds)[number]

/** Facts that other subgraphs react to. A payload is parsed before use: it may be from the last release. */
export const events = {
  'organization.created': z.object({
    organizationId: z.uuid(),
    name: z.string(),
    createdBy: z.uuid(),
  }),
  /** Whoever holds something of it ends or deletes that. */
  'organization.deleted': z.object({ organizationId: z.uuid() }),
  /** Staff has suspended it, or let it go on (null): what it has is kept, and stands still meanwhile. */
  'organization.suspension-changed': z.object({
    organizationId: z.uuid(),
    suspendedAt: z.iso.datetime().nullable(),
  }),
  /** The same of a person. */
  'user.suspension-changed': z.object({
    userId: z.uuid(),
    suspendedAt: z.iso.datetime().nullable(),
  }),
  /** A key that signs agent tokens from then on. The private half is sealed under the keys of the environment. */
  'signing-key.activated': z.object({
    id: z.string().max(64),
    publicKey: z.string().max(64),
    sealed: z.string().max(200),
    sealingKeyId: z.string().max(64),
    activeFrom: z.iso.datetime(),
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
  /** Something that somebody did, for the audit that identity keeps. Text is cut to its bounds before it is recorded. */
  'act.recorded': z.object({
    organizationId: z.uuid().nullable(),
    action: z.string().min(1).max(64),
    /** `userId`: the person behind a credential. */
    actor: z.object({
      kind: z.string().max(32),
      id: z.uuid().nullable(),
      userId: z.uuid().nullable(),
      /** The member of staff who acted in their place. */
      staffId: z.uuid().optional(),
    }),
    target: z.object({ type: z.string().max(32), id: z.string().max(64) }),
    details: z.string().max(500).nullable(),
    ip: z.string().max(64).nullable(),
    at: z.iso.datetime(),
  }),
} as const satisfies Record<string, z.ZodType>

/** Facts that stand alone: none is made void by a later one of the same entity, and all are applied. */
export const unorderedEvents: ReadonlySet<string> = new Set<EventName>(['act.recorded'])

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
