import { defineEntity, p } from '@mikro-orm/core'

const ReleasedHostSchema = defineEntity({
  name: 'ReleasedHost',
  tableName: 'released_host',
  // No tenant: whoever wants the name next is asked about it.
  properties: {
    endpointHost: p.string().length(253).primary(),
    /** Whose tunnel had it. */
    releasedBy: p.uuid(),
    releasedAt: p.datetime(),
  },
})

/** An endpoint host whose last tunnel was deleted; gone as soon as a tunnel has it again. */
export class ReleasedHost extends ReleasedHostSchema.class {}
ReleasedHostSchema.setClass(ReleasedHost)
