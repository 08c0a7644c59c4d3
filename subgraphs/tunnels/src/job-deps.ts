import type { EntityManager } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import type { ObjectStore } from '@sluice/kit/object-store'
import type { Redis } from 'ioredis'

/** What the jobs of this subgraph work with. Each run takes a fresh entity manager that sees every organization. */
export interface JobDeps {
  em: () => EntityManager
  redis: Redis
  /** Undefined: bodies are not kept. */
  objects: ObjectStore | undefined
  now: () => Date
  log: Log
}
