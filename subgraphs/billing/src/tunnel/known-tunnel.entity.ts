import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const KnownTunnelSchema = defineEntity({
  name: 'KnownTunnel',
  tableName: 'known_tunnel',
  filters: tenantFilter,
  indexes: [{ name: 'known_tunnel_organization', properties: ['organizationId'] }],
  properties: {
    id: p.uuid().primary(),
    organizationId: p.uuid(),
  },
})

/** A tunnel that exists, told by tunnels: enough to count them. */
export class KnownTunnel extends KnownTunnelSchema.class {}
KnownTunnelSchema.setClass(KnownTunnel)
