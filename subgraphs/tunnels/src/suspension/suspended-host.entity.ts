import { defineEntity, p } from '@mikro-orm/core'

const SuspendedHostSchema = defineEntity({
  name: 'SuspendedHost',
  tableName: 'suspended_host',
  indexes: [{ name: 'suspended_host_page', properties: ['at', 'id'] }],
  // No tenant and no tunnel: whoever takes the name next is kept from it, too.
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** An endpoint host or custom domain in lower case, or `tcp:<port>`, `udp:<port>`. */
    name: p.string().length(253).unique(),
    /** Whose tunnel had it then; null when nobody’s. */
    organizationId: p.uuid().nullable(),
    /** As the customer reads it. Visitors do not. */
    reason: p.string().length(500),
    /** The member of staff. */
    by: p.uuid(),
    at: p.datetime(3),
  },
})

/** An address that staff has taken out of service, whoever has it. */
export class SuspendedHost extends SuspendedHostSchema.class {}
SuspendedHostSchema.setClass(SuspendedHost)
