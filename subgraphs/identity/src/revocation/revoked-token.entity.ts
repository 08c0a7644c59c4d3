import { defineEntity, p } from '@mikro-orm/core'

/** What the revoke list is kept for; the names are those of a `Revocation` in schema/redis.ts. */
const revokedKinds = [
  'authtoken',
  'api-key',
  'sign-in',
  'user',
  'membership',
  'organization',
] as const
export type RevokedKind = (typeof revokedKinds)[number]

const RevokedTokenSchema = defineEntity({
  name: 'RevokedToken',
  tableName: 'auth_revoked_tokens',
  indexes: [
    { name: 'auth_revoked_tokens_at', properties: ['at'] },
    {
      name: 'auth_revoked_tokens_unannounced',
      properties: ['sequence'],
      where: 'announced_at is null',
    },
  ],
  // No foreign keys and no tenant: an entry outlives what it names, and relays and gateways serve everybody.
  properties: {
    sequence: p.bigint().primary().autoincrement(),
    kind: p.enum(revokedKinds),
    /** Of the credential; of a membership `<organizationId>:<userId>`. */
    id: p.string().length(80),
    /** What was issued before is void. */
    at: p.datetime(3),
    /** Nothing that was issued before `at` can still be good then: the entry may go. */
    until: p.datetime(3),
    reason: p.string().length(32),
    /** When Redis has taken it; null until then. */
    announcedAt: p.datetime(3).nullable(),
  },
})

/**
 * The revoke list: the truth behind what Redis announces. Triggers on the tables of credentials write it, so that no way to
 * end one, not even a cascade, can leave it out.
 */
export class RevokedToken extends RevokedTokenSchema.class {}
RevokedTokenSchema.setClass(RevokedToken)

/** Agent tokens were issued on its strength, and relays may take them a while longer in an outage: they look back so far. */
const agentCredentialUntil = `interval '2 days'`
/** Longer than any access token lives. */
export const signInUntil = `interval '1 hour'`

/**
 * The body of a trigger: adds an entry about `id`, an expression over OLD and NEW, if the condition holds. It is not in the
 * trigger's own `when`, which PostgreSQL gives back in other words: every migration would make the trigger anew.
 */
export function revocationTrigger(entry: {
  condition?: string
  kind: RevokedKind
  id: string
  at: string
  reason: string
  until: string
}): string {
  const { condition = 'true', kind, id, at, reason, until } = entry
  return (
    `if ${condition} then ` +
    `insert into "identity"."auth_revoked_tokens" ("kind", "id", "at", "until", "reason") ` +
    `values ('${kind}', ${id}, ${at}, ${at} + ${until}, ${reason}); end if; return null;`
  )
}

/** The triggers of a table whose rows have `revoked_at` and `revoked_reason`. */
export function credentialTriggers(table: string, kind: 'authtoken' | 'api-key') {
  const until = agentCredentialUntil
  return [
    {
      name: `${table}_revoked`,
      timing: 'after' as const,
      events: ['update' as const],
      body: revocationTrigger({
        condition: 'OLD.revoked_at is null and NEW.revoked_at is not null',
        kind,
        id: 'NEW.id::text',
        at: 'NEW.revoked_at',
        reason: `coalesce(NEW.revoked_reason, 'revoked')`,
        until,
      }),
    },
    {
      name: `${table}_deleted`,
      timing: 'after' as const,
      events: ['delete' as const],
      body: revocationTrigger({
        condition: 'OLD.revoked_at is null',
        kind,
        id: 'OLD.id::text',
        at: `clock_timestamp()`,
        reason: `'owner-gone'`,
        until,
      }),
    },
  ]
}
