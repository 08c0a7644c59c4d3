import type { EntityManager } from '@sluice/kit/database'
import type { DnsOptions } from '@sluice/kit/dns-proof'

import type { TlsOptions } from './tls/tls-check.ts'

/** What the jobs of this subgraph work with. */
export interface JobDeps extends DnsOptions, TlsOptions {
  /** A fresh entity manager that sees every organization: jobs work for all of them. */
  em: () => EntityManager
  now: () => Date
  cnameTarget: string
}
