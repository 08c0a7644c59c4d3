import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { TestProject } from 'vitest/node'

import { startPostgres, startRedis } from './engines.ts'

/**
 * vitest's global set-up for all test files of a package: one PostgreSQL, unless the environment names another, and one
 * Redis. Never another package's Redis: channels are not kept apart by database, and tests wait for subscribers.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // oxlint-disable-next-line node/no-process-env -- The set-up is the main program of a test run.
  const { SLUICE_TEST_DATABASE_URL: databaseUrl } = process.env
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  const postgres = databaseUrl
    ? null
    : await startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true })
  const redis = await startRedis()
  project.provide('databaseUrl', databaseUrl ?? postgres?.url ?? '')
  project.provide('redisUrl', redis.url)
  return async () => {
    await postgres?.close()
    await redis.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
