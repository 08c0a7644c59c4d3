import { defineEntity, p } from '@mikro-orm/core'
import { tenantFilter } from '@sluice/kit/database'
import type { ActorKind } from '@sluice/schema/events'

/** The words of an entry, each of which can be searched for; the search and its index have the same expression. */
export const searchedWords = `to_tsvector('simple', regexp_replace(action || ' ' || actor_name || ' ' || coalesce(details, '') || ' ' || coalesce(target_id, '') || ' ' || coalesce(ip, ''), '[!-/:-@[-\`{-~]+', ' ', 'g'))`

const AuditEntrySchema = defineEntity({
  name: 'AuditEntry',
  filters: tenantFilter,
  indexes: [
    { name: 'audit_entry_page', properties: ['organizationId', 'at', 'id'] },
    { name: 'audit_entry_action_page', properties: ['organizationId', 'action', 'at', 'id'] },
    { name: 'audit_entry_actor_page', properties: ['organizationId', 'actorId', 'at', 'id'] },
    // Of a person in all organizations, for their export and for staff.
    { name: 'audit_entry_actor', properties: ['actorId', 'at', 'id'] },
    { name: 'audit_entry_target_page', properties: ['organizationId', 'targetId', 'at', 'id'] },
    {
      name: 'audit_entry_words',
      expression: `create index "audit_entry_words" on "identity"."audit_entry" using gin (${searchedWords})`,
    },
  ],
  triggers: [
    {
      // Beside it stands one for TRUNCATE, in the first migration: MikroORM cannot see those.
      name: 'audit_entry_append_only',
      timing: 'before',
      events: ['update', 'delete'],
      body: `raise exception 'audit entries are append-only' using errcode = 'insufficient_privilege';`,
    },
    {
      // In the database, so that no way of writing an entry can forget it.
      name: 'audit_entry_unsealed',
      timing: 'after',
      events: ['insert'],
      body: `insert into identity.audit_unsealed (entry_id, organization_id) values (new.id, new.organization_id); return null;`,
    },
  ],
  // No foreign keys: an entry outlives what it is about.
  properties: {
    id: p
      .uuid()
      .primary()
      .onCreate(() => crypto.randomUUID()),
    /** Null for what concerns a user who is in no organization. */
    organizationId: p.uuid().nullable(),
    action: p.string().length(64),
    actorKind: p.string().length(32).$type<ActorKind>(),
    actorId: p.uuid().nullable(),
    /** The name at that time. */
    actorName: p.string().length(100),
    targetType: p.string().length(32),
    targetId: p.string().length(64).nullable(),
    details: p.string().length(500).nullable(),
    ip: p.string().length(64).nullable(),
    at: p.datetime(3),
  },
})

/** Who did what, when and from where. Rows are only ever added; PostgreSQL refuses anything else. */
export class AuditEntry extends AuditEntrySchema.class {}
AuditEntrySchema.setClass(AuditEntry)
