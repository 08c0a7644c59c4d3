import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const AgentSessionSchema = defineEntity({
  name: 'AgentSession',
  tableName: 'agent_session',
  filters: tenantFilter,
  indexes: [
    { name: 'agent_session_open_of_tunnel', properties: ['tunnelId'], where: { endedAt: null } },
    { name: 'agent_session_open_of_relay', properties: ['relayId'], where: { endedAt: null } },
    { name: 'agent_session_ended', properties: ['endedAt'] },
  ],
  properties: {
    id: p.string().length(64).primary(),
    organizationId: p.uuid(),
    tunnelId: p.uuid(),
    relayId: p.string().length(64),
    epoch: p.integer(),
    since: p.datetime(),
    lastSeenAt: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
})

/** One agent's connection to one relay, as the relay's heartbeats tell it. */
export class AgentSession extends AgentSessionSchema.class {}
AgentSessionSchema.setClass(AgentSession)
