import { migrate, openOrm, type EntityManager } from '@sluice/kit/database'

import { database } from '../orm.ts'

/** Rows are added to these and never changed. */
const appendOnlyTables = ['audit_entry', 'audit_link', 'audit_signed_head']

/**
 * Brings the tables up to date as their owner, and lets the role that serves use them: all of it but UPDATE, DELETE and
 * TRUNCATE on the audit, which only an owner could give it back. Beside the triggers, which an owner could take off.
 */
export async function migrateAsOwner(ownerUrl: string, databaseUrl: string): Promise<void> {
  const role = decodeURIComponent(new URL(databaseUrl).username)
  if (role === '') throw new Error('DATABASE_URL names no role to grant the tables to')
  const orm = await openOrm({ ...database, databaseUrl: ownerUrl, connectionsMax: 3 })
  try {
    await migrate(orm, database.schema)
    await orm.em.fork().transactional((em) => grantTo(em, role))
  } finally {
    await orm.close(true)
  }
}

async function grantTo(em: EntityManager, role: string): Promise<void> {
  const { schema } = database
  const to = `"${role.replaceAll('"', '""')}"`
  // Replicas that start together wait for each other here, as they did for the migration.
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('sluice:grant:${schema}', 0))`)
  for (const statement of [
    `grant usage on schema ${schema} to ${to}`,
    `grant select, insert, update, delete on all tables in schema ${schema} to ${to}`,
    `grant usage, select on all sequences in schema ${schema} to ${to}`,
    ...appendOnlyTables.map((table) => `revoke all on ${schema}.${table} from ${to}`),
    ...appendOnlyTables.map((table) => `grant select, insert on ${schema}.${table} to ${to}`),
  ]) {
    await em.execute(statement)
  }
}
