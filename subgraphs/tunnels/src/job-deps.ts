import type { EntityManager } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import type { ObjectStore } from '@sluice/kit/object-store'
import type { Sealer } from '@sluice/kit/sealer'
import type { Redis } from 'ioredis'

/** What came of one attempt: taken, to be tried again, or given up. */
export type WebhookResult = 'delivered' | 'retried' | 'failed'

export interface WebhookSending {
  readonly sealer: Sealer
  readonly allowPrivate: boolean
  /** Told of every attempt, for the figures. */
  readonly onAttempt?: ((result: WebhookResult) => void) | undefined
}

/** What the jobs of this subgraph work with. Each run takes a fresh entity manager that sees every organization. */
export interface JobDeps {
  em: () => EntityManager
  redis: Redis
  /** Undefined: bodies are not kept. */
  objects: ObjectStore | undefined
  /** Undefined: webhooks are not sent. */
  webhooks: WebhookSending | undefined
  now: () => Date
  random: () => number
  log: Log
}
