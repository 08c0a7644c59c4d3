import { startRedis } from '@sluice/kit/engines'
import type { TestProject } from 'vitest/node'

/** vitest's global set-up: the relay needs a Redis, and no database. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis()
  project.provide('redisUrl', redis.url)
  return () => redis.close()
}
