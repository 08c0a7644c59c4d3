import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const KnownTunnelSchema = defineEntity({
  name: 'KnownTunnel',
  tableName: 'known_tunnel',
  filters: tenantFilter,
  properties: {
    id: p.uuid().primary(),
    organizationId: p.uuid(),
  },
})

/** A tunnel that exists, told by tunnels: enough to know whose it is. */
export class KnownTunnel extends KnownTunnelSchema.class {}
KnownTunnelSchema.setClass(KnownTunnel)
