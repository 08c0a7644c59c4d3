import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { Client } from 'pg'

import { migrate, openOrm, type DatabaseOptions } from './database.ts'

type Tables = Pick<DatabaseOptions, 'schema' | 'entities' | 'migrationsPath'>

/**
 * The database that holds a schema's tables on a test server and nothing else. Copying it takes a twentieth of the time
 * that migrating an empty one takes. Its name changes with everything that its tables come from.
 */
export function templateNameOf({ schema, migrationsPath }: Tables): string {
  const files = [
    ...readdirSync(migrationsPath)
      .toSorted()
      .map((file) => join(migrationsPath, file)),
    ...['database.ts', 'row-security.ts'].map((file) => join(import.meta.dirname, file)),
  ]
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(readFileSync(file))
  return `template_${schema}_${hash.digest('hex').slice(0, 16)}`
}

/** Makes it where it is missing. Test files are processes of their own: one makes it, the others wait. */
export async function createTemplate(serverUrl: string, tables: Tables): Promise<void> {
  const name = templateNameOf(tables)
  const draft = `${name}_draft`
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    // Given back with the connection.
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [name])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount) return
    // A run that was killed may have left half of one behind.
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft}`)
    await migrateAt(serverUrl, draft, tables)
    await client.query(`alter database ${draft} rename to ${name}`)
  } finally {
    await client.end()
  }
}

async function migrateAt(serverUrl: string, database: string, tables: Tables): Promise<void> {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  const orm = await openOrm({ ...tables, databaseUrl: url.href })
  try {
    await migrate(orm, tables.schema)
  } finally {
    await orm.close(true)
  }
}
