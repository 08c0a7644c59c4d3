import { databaseNotReady, forkSystem, migrate, openOrm } from '@sluice/kit/database'
import { openResolver } from '@sluice/kit/dns-proof'
import { bindJob, type BoundJob } from '@sluice/kit/job'

import { recheckDns } from './domain/recheck-dns.ts'
import type { JobDeps } from './job-deps.ts'
import { database } from './orm.ts'
import { probeTls } from './tls/probe-tls.ts'

export interface DomainJobsOptions {
  databaseUrl: string
  cnameTarget: string
  dnsServers?: string[] | undefined
  /** Lets TLS probes connect to private and loopback addresses. For tests and development only. */
  allowPrivateTargets?: boolean | undefined
  tlsPort?: number | undefined
  /** Certificates of authorities to trust besides the public ones, as PEM. */
  trustedAuthorities?: string | undefined
  now?: (() => Date) | undefined
}

const httpsPort = 443

/** The jobs of the domains subgraph, bound to what they need. */
export async function openJobs(options: DomainJobsOptions): Promise<{
  jobs: { recheckDns: BoundJob; probeTls: BoundJob }
  /** Why nothing can be done at the moment, or null. */
  notReady(): Promise<string | null>
  close(): Promise<void>
}> {
  openResolver(options) // A wrong address fails here, not at the first check.
  const orm = await openOrm({ ...database, databaseUrl: options.databaseUrl })
  try {
    // Whoever comes first makes the tables: a worker does not depend on the order of starts.
    await migrate(orm, database.schema)
  } catch (error) {
    await orm.close(true)
    throw error
  }
  const deps: JobDeps = {
    em: () => forkSystem(orm),
    now: options.now ?? (() => new Date()),
    cnameTarget: options.cnameTarget.toLowerCase(),
    dnsServers: options.dnsServers,
    allowPrivateTargets: options.allowPrivateTargets ?? false,
    tlsPort: options.tlsPort ?? httpsPort,
    trustedAuthorities: options.trustedAuthorities,
  }
  return {
    jobs: { recheckDns: bindJob(recheckDns, deps), probeTls: bindJob(probeTls, deps) },
    notReady: () => databaseNotReady(orm),
    close: () => orm.close(true),
  }
}
