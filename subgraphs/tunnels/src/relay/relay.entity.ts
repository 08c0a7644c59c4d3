import { defineEntity, p } from '@mikro-orm/core'

const RelaySchema = defineEntity({
  name: 'Relay',
  tableName: 'relay',
  properties: {
    id: p.string().length(64).primary(),
    region: p.string().length(32),
    /** The operator names the pools that agents are sent to. */
    pool: p.string().length(32).default('default'),
    /** Where agents dial: a ws or wss URL. */
    edgeUrl: p.string().length(500),
    /** Scheme, apex and port under which visitors reach tunnels here. */
    publicHttpUrl: p.string().length(500),
    version: p.string().length(64),
    /** How many visitor connections it is meant to carry. */
    capacity: p.integer(),
    draining: p.boolean(),
    /** Staff wants it to leave: it hears so at its next heartbeat. */
    drainRequestedAt: p.datetime().nullable(),
    sessions: p.integer(),
    connections: p.integer(),
    registeredAt: p.datetime(),
    lastSeenAt: p.datetime(),
  },
})

/** A relay that has registered. It belongs to the platform, not to an organization. */
export class Relay extends RelaySchema.class {}
RelaySchema.setClass(Relay)
