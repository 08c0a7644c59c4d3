import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import type { StoredPolicy } from './policy.ts'

/** What visitors speak to a tunnel. */
export type TunnelKind = 'http' | 'tcp' | 'tls' | 'udp'

const TunnelSchema = defineEntity({
  name: 'Tunnel',
  tableName: 'tunnel',
  filters: tenantFilter,
  uniques: [
    // A deleted tunnel frees its name (see `released-host.ts`). These indexes decide who gets one, not a read before the write.
    { name: 'tunnel_endpoint_host', properties: ['endpointHost'], where: { deletedAt: null } },
    { name: 'tunnel_port', properties: ['kind', 'port'], where: { deletedAt: null } },
    { name: 'tunnel_name', properties: ['organizationId', 'name'], where: { deletedAt: null } },
  ],
  indexes: [
    {
      name: 'tunnel_newest',
      properties: ['organizationId', 'createdAt', 'id'],
      where: { deletedAt: null },
    },
  ],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: p.uuid(),
    name: p.string().length(63),
    endpointHost: p.string().length(253),
    kind: p.string().length(8).$type<TunnelKind>().default('http'),
    /** The public port of a `tcp` or `udp` tunnel, its own for as long as it exists. */
    port: p.integer().nullable(),
    /** What the agent puts in `Host` towards the upstream; null leaves the visitor's. */
    hostHeader: p.string().length(260).nullable(),
    policy: p.json<StoredPolicy>(),
    /** Keeps the beginnings of request and response bodies. */
    captureBodies: p.boolean().default(false),
    /** The region that was asked for; null means any. */
    region: p.string().length(32).nullable(),
    /** The member who made it, or whose authtoken did. */
    ownerId: p.uuid().nullable().index(),
    /** The relay of the last start. */
    relayId: p.string().length(64).nullable(),
    /** Agents that start it so serve it together. */
    pooling: p.boolean().default(false),
    /** Rises by one with each start: of two sessions the higher epoch owns the endpoint host. */
    epoch: p.integer().default(0),
    createdAt: p.datetime().onCreate(() => new Date()),
    startedAt: p.datetime().nullable(),
    stoppedAt: p.datetime().nullable(),
    deletedAt: p.datetime().nullable(),
  },
})

/** An offer to serve an endpoint host. Deleting keeps the row: the request log points to it. */
export class Tunnel extends TunnelSchema.class {}
TunnelSchema.setClass(Tunnel)
