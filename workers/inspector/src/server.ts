import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { createMetrics, openAdminServer } from '@sluice/kit/metrics'
import type { ObjectStoreSettings } from '@sluice/kit/object-store'
import { hostJobs } from '@sluice/kit/queue'
import type { SealingKey } from '@sluice/kit/sealer'
import { openStreamConsumer } from '@sluice/kit/stream-consumer'
import { redisKeys, RequestBatch } from '@sluice/schema/redis'
import { openJobs } from '@sluice/tunnels/jobs'
import { Counter } from 'prom-client'

export interface InspectorWorkerOptions {
  databaseUrl: string
  redisUrl: string
  /** Of `/metrics`, `/healthz` and `/readyz`. */
  port: number
  host?: string
  /** Where captured bodies are kept; undefined: they are not. */
  objectStore?: ObjectStoreSettings | undefined
  /** They open the secrets of webhooks; undefined: none is sent. */
  webhookKeys?: readonly SealingKey[] | undefined
  /** Webhooks may go to private networks: for development. */
  allowPrivateWebhooks?: boolean | undefined
  log: Log
  /** Adds the figures of the process to the metrics; off where the process has other parts. */
  processFigures?: boolean
  /** How long a batch is left with a worker that may be dead before another one takes it. */
  claimIdleMs?: number
}

const endSessionsEveryMs = 5_000
const deliverEveryMs = 1_000
const tellPresenceEveryMs = 5_000
const keepPartitionsEveryMs = 3_600_000
const retentionEveryMs = 3_600_000
/** A day of a large organization is deleted in many short statements. */
const retentionRunMsMax = 600_000

/** Stores the requests that relays report, and hosts the jobs of tunnels. */
export async function createServer(
  options: InspectorWorkerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { databaseUrl, redisUrl, objectStore, webhookKeys, allowPrivateWebhooks, log } = options
  const { claimIdleMs } = options
  const metrics = createMetrics('inspector-worker', {
    processFigures: options.processFigures ?? false,
  })
  const records = new Counter({
    name: 'sluice_inspector_requests_total',
    help: 'Requests that came in batches, by what became of them.',
    labelNames: ['result'],
    registers: [metrics],
  })
  const webhookAttempts = new Counter({
    name: 'sluice_inspector_webhook_attempts_total',
    help: 'Attempts to deliver a webhook, by what became of them.',
    labelNames: ['result'],
    registers: [metrics],
  })
  return opening(async (closer) => {
    const tunnels = closer.add(
      await openJobs({
        databaseUrl,
        redisUrl,
        objectStore,
        webhookKeys,
        allowPrivateWebhooks,
        onWebhookAttempt: (result) => webhookAttempts.inc({ result }),
        log,
      }),
    )
    const { keepPartitions, dropExpiredRequests, endLostSessions } = tunnels.jobs
    const { deliverWebhooks, tellPresence, dropExpiredDeliveries } = tunnels.jobs
    closer.add(
      await hostJobs({
        worker: 'inspector',
        redisUrl,
        jobs: [
          { job: keepPartitions, everyMs: keepPartitionsEveryMs },
          {
            job: dropExpiredRequests,
            everyMs: retentionEveryMs,
            runMsMax: retentionRunMsMax,
          },
          { job: endLostSessions, everyMs: endSessionsEveryMs },
          { job: deliverWebhooks, everyMs: deliverEveryMs },
          { job: tellPresence, everyMs: tellPresenceEveryMs },
          { job: dropExpiredDeliveries, everyMs: retentionEveryMs, runMsMax: retentionRunMsMax },
        ],
        metrics,
        log,
      }),
    )
    const consumer = closer.add(
      openStreamConsumer({
        redisUrl,
        stream: redisKeys.requests,
        group: 'inspector',
        batch: RequestBatch,
        async apply(batch) {
          const counts = await tunnels.storeRequests(batch)
          for (const [result, count] of Object.entries(counts)) records.inc({ result }, count)
        },
        deadLetter: (entry) => tunnels.recordDeadLetter(entry),
        metrics,
        log,
        ...(claimIdleMs === undefined ? {} : { claimIdleMs }),
      }),
    )
    const { port } = closer.add(
      await openAdminServer({
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        metrics,
        notReady: () => consumer.failing() ?? tunnels.notReady(),
      }),
    )
    return { port, close: () => closer.close() }
  })
}
