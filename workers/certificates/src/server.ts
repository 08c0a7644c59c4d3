import { openJobs } from '@sluice/domains/jobs'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { createMetrics, openAdminServer } from '@sluice/kit/metrics'
import { hostJobs } from '@sluice/kit/queue'

export interface CertificatesWorkerOptions {
  databaseUrl: string
  redisUrl: string
  /** Of `/metrics`, `/healthz` and `/readyz`. */
  port: number
  host?: string
  log: Log
  /** The name of the relays that a custom domain's CNAME must lead to. */
  cnameTarget: string
  /** DNS servers to ask, as `address` or `address:port`. Without them those of the system. */
  dnsServers?: string[] | undefined
  /** Lets TLS probes connect to private and loopback addresses. For tests and development only. */
  allowPrivateTargets?: boolean | undefined
  /** Where visitors reach custom domains over TLS; 443 unless said. */
  tlsPort?: number | undefined
  /** Certificates of authorities to trust besides the public ones, as PEM. */
  trustedAuthorities?: string | undefined
  /** Adds the figures of the process to the metrics; off where the process has other parts. */
  processFigures?: boolean
  /** How often the worker looks for domains that are due. */
  lookEveryMs?: number
}

const defaultLookEveryMs = 10_000
/** Longer than a few batches of probes, each of which ends after 10 s. */
const runMsMax = 60_000

/** Hosts the jobs of domains: looks again at pending domains, and at the certificates of verified ones. */
export async function createServer(
  options: CertificatesWorkerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { redisUrl, log, lookEveryMs: everyMs = defaultLookEveryMs } = options
  const metrics = createMetrics('certificates-worker', {
    processFigures: options.processFigures ?? false,
  })
  return opening(async (closer) => {
    const domains = closer.add(await openJobs(options))
    const { recheckDns, probeTls } = domains.jobs
    closer.add(
      await hostJobs({
        worker: 'certificates',
        redisUrl,
        jobs: [
          { job: recheckDns, everyMs, runMsMax },
          { job: probeTls, everyMs, runMsMax },
        ],
        metrics,
        log,
      }),
    )
    const { port } = closer.add(
      await openAdminServer({
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        metrics,
        notReady: () => domains.notReady(),
      }),
    )
    return { port, close: () => closer.close() }
  })
}
