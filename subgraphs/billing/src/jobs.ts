import { forkSystem, migrate, openOrm } from '@sluice/kit/database'
import { bindJob, type BoundJob } from '@sluice/kit/job'
import type { DeadLetter } from '@sluice/kit/stream-consumer'
import type { UsageBatch } from '@sluice/schema/redis'

import type { JobDeps } from './job-deps.ts'
import { database } from './orm.ts'
import { tellEntitlements } from './plan/tell-entitlements.ts'
import { applyUsageBatch } from './usage/apply-usage-batch.ts'
import { pruneUsage, rollUpUsage } from './usage/roll-up-usage.ts'

export interface BillingJobs {
  jobs: { rollUpUsage: BoundJob; pruneUsage: BoundJob; tellEntitlements: BoundJob }
  /** Counts one batch of the usage stream, once however often it is delivered. */
  applyUsageBatch: (batch: UsageBatch) => Promise<'counted' | 'known'>
  /** Keeps a batch that cannot be counted, with the reason. */
  recordDeadLetter: (entry: DeadLetter) => Promise<void>
  close(): Promise<void>
}

/** The jobs of the billing subgraph, bound to what they need. */
export async function openJobs(options: {
  databaseUrl: string
  now?: (() => Date) | undefined
}): Promise<BillingJobs> {
  const orm = await openOrm({ ...database, databaseUrl: options.databaseUrl })
  try {
    // Whoever comes first makes the tables: a worker does not depend on the order of starts.
    await migrate(orm, database.schema)
  } catch (error) {
    await orm.close(true)
    throw error
  }
  const deps: JobDeps = { em: () => forkSystem(orm), now: options.now ?? (() => new Date()) }
  return {
    jobs: {
      rollUpUsage: bindJob(rollUpUsage, deps),
      pruneUsage: bindJob(pruneUsage, deps),
      tellEntitlements: bindJob(tellEntitlements, deps),
    },
    applyUsageBatch: (batch) => applyUsageBatch(deps.em(), batch, deps.now()),
    recordDeadLetter: async ({ stream, entryId, text, reason }) => {
      await deps.em().execute(
        `insert into billing.usage_dead_letter (id, text, reason, received_at) values (?, ?, ?, ?)
         on conflict do nothing`,
        // PostgreSQL's text holds no zero character.
        [
          `${stream} ${entryId}`,
          text.replaceAll('\0', ''),
          reason.replaceAll('\0', ''),
          deps.now(),
        ],
      )
    },
    close: () => orm.close(true),
  }
}
