import { defineEntity, p, type TriggerDef } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'

const appendOnly = (name: string): TriggerDef => ({
  // Beside it stands one for TRUNCATE, in the migration: MikroORM cannot see those.
  name,
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'the chain of the audit is append-only' using errcode = 'insufficient_privilege';`,
})

const AuditLinkSchema = defineEntity({
  name: 'AuditLink',
  filters: tenantFilter,
  triggers: [appendOnly('audit_link_append_only')],
  properties: {
    /** Whose chain; `platformChain` for what concerns no organization. */
    organizationId: p.uuid().primary(),
    sequence: p.bigint().primary(),
    entryId: p.uuid().unique(),
    /** Over the entry and the hash before: `schema/audit-chain.ts`. */
    hash: p.string().length(64),
  },
})

/** The place of an entry in the chain of its organization. Whoever changes an entry would have to change every link behind it. */
export class AuditLink extends AuditLinkSchema.class {}
AuditLinkSchema.setClass(AuditLink)

const AuditUnsealedSchema = defineEntity({
  name: 'AuditUnsealed',
  filters: tenantFilter,
  properties: {
    /** In the order of writing. */
    position: p.bigint().primary().autoincrement(),
    entryId: p.uuid().unique(),
    organizationId: p.uuid().nullable(),
  },
})

/** An entry that is written but not in its chain yet: a trigger notes it, sealing takes it away. */
export class AuditUnsealed extends AuditUnsealedSchema.class {}
AuditUnsealedSchema.setClass(AuditUnsealed)

const AuditSignedHeadSchema = defineEntity({
  name: 'AuditSignedHead',
  filters: tenantFilter,
  triggers: [appendOnly('audit_signed_head_append_only')],
  properties: {
    organizationId: p.uuid().primary(),
    sequence: p.bigint().primary(),
    hash: p.string().length(64),
    /** `audit-head+jwt` over organization, sequence, hash and time. */
    jws: p.string().length(2_000),
    /** Where it lies in the object store; null without a store. */
    objectKey: p.string().length(200).nullable(),
    signedAt: p.datetime(3),
  },
})

/** The end of a chain as it was on a day, signed. */
export class AuditSignedHead extends AuditSignedHeadSchema.class {}
AuditSignedHeadSchema.setClass(AuditSignedHead)

/** Stands for the organization of entries that have none. */
export const platformChain = '00000000-0000-0000-0000-000000000000'

export function chainOf(organizationId: string | null): string {
  return organizationId ?? platformChain
}
