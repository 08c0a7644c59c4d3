import { databaseNotReady, forkSystem, migrate, openOrm } from '@sluice/kit/database'
import { bindJob, type BoundJob } from '@sluice/kit/job'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { openObjectStore, type ObjectStoreSettings } from '@sluice/kit/object-store'
import { openRedis } from '@sluice/kit/redis'
import type { SealingKey } from '@sluice/kit/sealer'
import type { DeadLetter } from '@sluice/kit/stream-consumer'
import type { RequestBatch } from '@sluice/schema/redis'

import type { JobDeps, WebhookResult } from './job-deps.ts'
import { database } from './orm.ts'
import { endLostSessions } from './relay/end-lost-sessions.ts'
import { recordDeadLetter } from './request/dead-letter.ts'
import { dropExpiredRequests } from './request/drop-expired-requests.ts'
import { keepPartitions } from './request/keep-partitions.ts'
import { storeRequests, type StoredRequests } from './request/store-requests.ts'
import { deliverWebhooks } from './webhook/deliver-webhooks.ts'
import { dropExpiredDeliveries } from './webhook/drop-expired-deliveries.ts'
import { tellPresence } from './webhook/tell-presence.ts'
import { sealerOf } from './webhook/webhook-secret.ts'

export interface TunnelJobsOptions {
  databaseUrl: string
  redisUrl: string
  /** Where captured bodies are kept; undefined: they are not. */
  objectStore?: ObjectStoreSettings | undefined
  /** They open the secrets of webhooks; undefined: none is sent. */
  webhookKeys?: readonly SealingKey[] | undefined
  /** Webhooks may go to private networks: for development. */
  allowPrivateWebhooks?: boolean | undefined
  /** Told of every attempt to deliver one. */
  onWebhookAttempt?: ((result: WebhookResult) => void) | undefined
  log: Log
  now?: (() => Date) | undefined
}

export interface TunnelJobs {
  jobs: Record<
    | 'keepPartitions'
    | 'dropExpiredRequests'
    | 'endLostSessions'
    | 'deliverWebhooks'
    | 'tellPresence'
    | 'dropExpiredDeliveries',
    BoundJob
  >
  /** Stores one batch of the requests stream. Twice the same is the same as once. */
  storeRequests(batch: RequestBatch): Promise<StoredRequests>
  /** Keeps a batch that cannot be stored, with the reason. */
  recordDeadLetter(letter: DeadLetter): Promise<void>
  /** Why nothing can be done at the moment, or null. */
  notReady(): Promise<string | null>
  close(): Promise<void>
}

/** The jobs of the tunnels subgraph, bound to what they need. */
export function openJobs({
  databaseUrl,
  redisUrl,
  objectStore,
  webhookKeys,
  allowPrivateWebhooks,
  onWebhookAttempt,
  log,
  now,
}: TunnelJobsOptions): Promise<TunnelJobs> {
  return opening(async (closer) => {
    const orm = await openOrm({ ...database, databaseUrl })
    closer.defer(() => orm.close(true))
    // Whoever comes first makes the tables: a worker does not depend on the order of starts.
    await migrate(orm, database.schema)
    const redis = openRedis(redisUrl, log)
    closer.defer(() => redis.disconnect())
    const objects = objectStore && closer.add(await openObjectStore(objectStore))
    const sealer = sealerOf(webhookKeys)
    const deps: JobDeps = {
      em: () => forkSystem(orm),
      redis,
      objects,
      webhooks: sealer && {
        sealer,
        allowPrivate: allowPrivateWebhooks ?? false,
        onAttempt: onWebhookAttempt,
      },
      random: Math.random,
      now: now ?? (() => new Date()),
      log,
    }
    return {
      jobs: {
        keepPartitions: bindJob(keepPartitions, deps),
        dropExpiredRequests: bindJob(dropExpiredRequests, deps),
        endLostSessions: bindJob(endLostSessions, deps),
        deliverWebhooks: bindJob(deliverWebhooks, deps),
        tellPresence: bindJob(tellPresence, deps),
        dropExpiredDeliveries: bindJob(dropExpiredDeliveries, deps),
      },
      storeRequests: ({ records }: RequestBatch) => storeRequests(deps, records),
      recordDeadLetter: (letter: DeadLetter) => recordDeadLetter(deps, letter),
      notReady: () => databaseNotReady(orm),
      close: () => closer.close(),
    }
  })
}
