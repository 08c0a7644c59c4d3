import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { migrate, openOrm, type DatabaseOptions } from './database.ts'
import { startPostgres } from './engines.ts'

/** Writes the migration that leads from the committed ones to the entities of now; returns its file name, or null. */
export async function createMigration(
  database: Omit<DatabaseOptions, 'databaseUrl'>,
): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-migration-'))
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true })
  const orm = await openOrm({ ...database, databaseUrl: postgres.url, snapshot: true })
  try {
    await migrate(orm, database.schema)
    const { fileName, diff } = await orm.migrator.create()
    return diff.up.length > 0 ? fileName : null
  } finally {
    await orm.close(true)
    await postgres.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
