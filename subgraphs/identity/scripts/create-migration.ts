import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openOrm } from '@sluice/kit/database'
import { startPostgres } from '@sluice/kit/engines'

import { database } from '../src/orm.ts'

// Writes the migration that brings the committed snapshot to what the entities say, if they differ.
const folder = mkdtempSync(join(tmpdir(), 'sluice-migration-'))
const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true })
try {
  const orm = await openOrm({ ...database, databaseUrl: postgres.url, snapshot: true })
  await orm.em.fork().execute(`create schema "${database.schema}"`)
  await orm.migrator.up()
  const { fileName } = await orm.migrator.create()
  process.stdout.write(`${fileName || 'nothing changed'}\n`)
  await orm.close()
} finally {
  await postgres.close()
  rmSync(folder, { recursive: true, force: true })
}
