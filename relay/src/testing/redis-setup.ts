import { startRedis } from '@sluice/kit/engines'
import type { TestProject } from 'vitest/node'

/** vitest's global set-up: the relay needs a Redis, and no database. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // oxlint-disable-next-line node/no-process-env -- The set-up is the main program of a test run.
  const { SLUICE_TEST_REDIS_URL: redisUrl } = process.env
  const redis = redisUrl ? undefined : await startRedis()
  project.provide('redisUrl', redisUrl ?? redis?.url ?? '')
  return async () => {
    await redis?.close()
  }
}
