import type { EntityManager } from '@sluice/kit/database'

/** What the jobs of this subgraph work with. */
export interface JobDeps {
  /** A fresh entity manager that sees every organization: jobs work for all of them. */
  em: () => EntityManager
  now: () => Date
}
