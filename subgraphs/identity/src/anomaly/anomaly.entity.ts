import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

/** What is looked out for. Rows keep the name: add, never rename. */
const anomalyKinds = [
  'sign-in-failures',
  'rate-limited',
  'network-blocked',
  'new-network',
  'impossible-travel',
  'token-new-network',
  'refresh-reused',
  'recovery-code-used',
  'signature-failed',
  'impersonation',
] as const
export type AnomalyKind = (typeof anomalyKinds)[number]

const severities = ['low', 'medium', 'high'] as const
export type Severity = (typeof severities)[number]

const AnomalySchema = defineEntity({
  name: 'Anomaly',
  tableName: 'security_anomaly_events',
  filters: tenantFilter,
  indexes: [
    { name: 'anomaly_page', properties: ['lastAt', 'id'] },
    { name: 'anomaly_organization_page', properties: ['organizationId', 'lastAt', 'id'] },
  ],
  // No foreign keys: what was seen outlives whom it was about.
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** SHA-256 of kind, organization, user, subject and hour: what is equal in these is one row with a count. */
    key: p.string().length(64).unique().hidden(),
    kind: p.enum(anomalyKinds),
    severity: p.enum(severities),
    /** Null for what concerns no organization: for staff alone. */
    organizationId: p.uuid().nullable(),
    userId: p.uuid().nullable(),
    /** What it is about: a network, a credential, a limit. */
    subject: p.string().length(200),
    details: p.string().length(500).nullable(),
    /** The address of the last time. */
    ip: p.string().length(64).nullable(),
    count: p.integer(),
    firstAt: p.datetime(3),
    lastAt: p.datetime(3),
    /** When the owners were told by mail. */
    mailedAt: p.datetime(3).nullable(),
  },
})

/** Something that may be an attack, or the preparation of one: one row per kind, subject and hour. */
export class Anomaly extends AnomalySchema.class {}
AnomalySchema.setClass(Anomaly)
