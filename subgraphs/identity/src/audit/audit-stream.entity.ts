import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

import { Organization } from '../organization/organization.entity.ts'

export const auditStreamKinds = ['webhook', 'bucket'] as const
export type AuditStreamKind = (typeof auditStreamKinds)[number]

const AuditStreamSchema = defineEntity({
  name: 'AuditStream',
  filters: tenantFilter,
  uniques: [{ name: 'audit_stream_name', properties: ['organizationId', 'name'] }],
  indexes: [{ name: 'audit_stream_due', properties: ['nextAt'], where: 'is_on' }],
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    name: p.string().length(100),
    kind: p.enum(auditStreamKinds),
    /** Of a webhook its address; of a bucket `https://endpoint/bucket`, with a prefix behind it or without. */
    url: p.string().length(2_048),
    region: p.string().length(64).nullable(),
    accessKeyId: p.string().length(128).nullable(),
    /** What signs: the secret of the webhook, or the secret access key of the bucket. */
    sealedSecret: p.string().length(1_000),
    sealingKeyId: p.string().length(64),
    isOn: p.boolean(),
    /** The place in the chain up to which everything has arrived. */
    delivered: p.bigint(),
    /** In a row; 0 after a delivery. */
    failures: p.integer(),
    lastError: p.string().length(500).nullable(),
    /** When to look again; later while somebody is at it. */
    nextAt: p.datetime(3),
    deliveredAt: p.datetime(3).nullable(),
    createdAt: p.datetime(3),
    createdBy: p.uuid().nullable(),
  },
})

/** Where the audit of an organization is sent as it grows. */
export class AuditStream extends AuditStreamSchema.class {}
AuditStreamSchema.setClass(AuditStream)
