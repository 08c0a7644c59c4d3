import { openJobs } from '@sluice/billing/jobs'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { createMetrics, openAdminServer } from '@sluice/kit/metrics'
import { hostJobs } from '@sluice/kit/queue'
import { openStreamConsumer } from '@sluice/kit/stream-consumer'
import { redisKeys, UsageBatch } from '@sluice/schema/redis'

export interface BillingWorkerOptions {
  databaseUrl: string
  redisUrl: string
  /** Of `/metrics`, `/healthz` and `/readyz`. */
  port: number
  host?: string
  log: Log
  /** Adds the figures of the process to the metrics; off where the process has other parts. */
  processFigures?: boolean
  rollUpEveryMs?: number
}

/** How long a count may wait before it shows in the period's total. */
const defaultRollUpEveryMs = 5_000
const hourMs = 3_600_000

/** Counts the usage that relays report, and hosts the jobs of billing. */
export async function createServer(
  options: BillingWorkerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { databaseUrl, redisUrl, log, rollUpEveryMs = defaultRollUpEveryMs } = options
  const metrics = createMetrics('billing-worker', {
    processFigures: options.processFigures ?? false,
  })
  return opening(async (closer) => {
    const billing = closer.add(await openJobs({ databaseUrl }))
    const { rollUpUsage, pruneUsage, tellEntitlements } = billing.jobs
    closer.add(
      await hostJobs({
        worker: 'billing',
        redisUrl,
        jobs: [
          { job: rollUpUsage, everyMs: rollUpEveryMs },
          { job: pruneUsage, everyMs: hourMs },
          // Also at the start, which is when a release may have changed the plans.
          { job: tellEntitlements, everyMs: hourMs },
        ],
        metrics,
        log,
      }),
    )
    const consumer = closer.add(
      openStreamConsumer({
        redisUrl,
        stream: redisKeys.usage,
        group: 'billing',
        batch: UsageBatch,
        apply: async (batch) => void (await billing.applyUsageBatch(batch)),
        deadLetter: (entry) => billing.recordDeadLetter(entry),
        metrics,
        log,
      }),
    )
    const { port } = closer.add(
      await openAdminServer({
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        metrics,
        notReady: () => consumer.failing(),
      }),
    )
    return { port, close: () => closer.close() }
  })
}
