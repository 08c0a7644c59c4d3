import type { SessionContext } from '@mikro-orm/core'
import { z } from 'zod'

import { flag } from './config.ts'
import type { EntityManager } from './database.ts'

/** What a transaction says whose rows it may see: ids with commas between, or `*` for all. Unset: none. */
const setting = 'sluice.organization_ids'
const parameter = 'sluice_row_security'

/** Variables of every part with a database, for `readConfig`. */
export const databaseVariables = {
  DATABASE_URL: z.url(),
  DATABASE_ROW_SECURITY: flag.default(false),
} as const

/** The address of the database, and whether PostgreSQL itself keeps organizations apart there, in one text. */
export function databaseUrlOf(values: z.infer<z.ZodObject<typeof databaseVariables>>): string {
  return values.DATABASE_ROW_SECURITY ? withRowSecurity(values.DATABASE_URL) : values.DATABASE_URL
}

export function withRowSecurity(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.searchParams.set(parameter, 'true')
  return url.href
}

/** Takes the text apart again. */
export function readDatabaseUrl(text: string): { databaseUrl: string; rowSecurity: boolean } {
  const url = URL.parse(text)
  const rowSecurity = url?.searchParams.get(parameter) === 'true'
  if (!url || !rowSecurity) return { databaseUrl: text, rowSecurity: false }
  url.searchParams.delete(parameter)
  return { databaseUrl: url.href, rowSecurity }
}

/** Set at the beginning of each transaction of a fork; MikroORM makes one of every statement that has none. */
export function sessionOf(organizationIds: readonly string[] | 'all'): SessionContext {
  return { variables: { [setting]: organizationIds === 'all' ? '*' : organizationIds.join(',') } }
}

const isAll = `(select current_setting('${setting}', true)) = '*'`
/** A select of its own is evaluated once for a statement and not once for a row. */
const isOwn = `organization_id = any ((
  select string_to_array(nullif(nullif(current_setting('${setting}', true), ''), '*'), ',')::uuid[])::uuid[])`

/** Tables of the schema with an `organization_id`, and whether they have the policy. */
async function tenantTables(em: EntityManager, schema: string) {
  return em.execute<{ name: string; secured: boolean }[]>(
    `select format('%I.%I', namespace.nspname, class.relname) as name,
       class.relforcerowsecurity and exists (
         select 1 from pg_policy where polrelid = class.oid and polname = 'sluice_tenant'
       ) as secured
     from pg_class as class join pg_namespace as namespace on namespace.oid = class.relnamespace
     where namespace.nspname = ? and class.relkind in ('r', 'p') and not class.relispartition
       and exists (
         select 1 from pg_attribute
         where attrelid = class.oid and attname = 'organization_id' and not attisdropped
       )
     order by 1`,
    [schema],
  )
}

/**
 * Has PostgreSQL show each table's rows to those only who said at the beginning of their transaction that they are
 * theirs, the owner of the table included. Rows of no organization may be written by everybody and are seen by the
 * platform alone. Does nothing for tables that have it already.
 */
export async function secureRows(em: EntityManager, schema: string): Promise<void> {
  for (const { name, secured } of await tenantTables(em, schema)) {
    if (secured) continue
    for (const statement of [
      `drop policy if exists sluice_platform on ${name}`,
      `drop policy if exists sluice_tenant on ${name}`,
      `create policy sluice_platform on ${name} using (${isAll}) with check (${isAll})`,
      `create policy sluice_tenant on ${name} using (${isOwn})
         with check (organization_id is null or ${isOwn})`,
      `alter table ${name} enable row level security`,
      `alter table ${name} force row level security`,
    ]) {
      await em.execute(statement)
    }
  }
}

/** Takes it away again: after the switch was turned off, and while migrations move rows of everybody. */
export async function exposeRows(em: EntityManager, schema: string): Promise<void> {
  for (const { name, secured } of await tenantTables(em, schema)) {
    if (!secured) continue
    for (const statement of [
      `alter table ${name} no force row level security`,
      `alter table ${name} disable row level security`,
      `drop policy if exists sluice_platform on ${name}`,
      `drop policy if exists sluice_tenant on ${name}`,
    ]) {
      await em.execute(statement)
    }
  }
}
