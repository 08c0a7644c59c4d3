import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import { CustomDomain } from '../domain/custom-domain.entity.ts'
import { spread } from '../domain/dns-schedule.ts'
import type { JobDeps } from '../job-deps.ts'
import { checkTls, type TlsCheck } from './tls-check.ts'

const batchDomainsMax = 20
/** A batch that a dead worker had taken is due again after this. */
const leaseMs = 120_000
const healthyEveryMs = 6 * 3_600_000
/** What is wrong is looked at more often: people repair it and want to see it. */
const troubledEveryMs = 15 * 60_000

/** Looks at the certificate of each verified domain that is due, as a visitor would. */
export const probeTls = defineJob({
  name: 'tls.probe',
  payload: z.object({}),

  async run(_payload, deps: JobDeps, signal) {
    for (;;) {
      const now = deps.now()
      const due = await deps.em().execute<{ id: string; domain: string }[]>(
        `update domains.custom_domain set next_tls_probe_at = ?
         where id in (
           select id from domains.custom_domain where next_tls_probe_at <= ?
           order by next_tls_probe_at limit ${batchDomainsMax} for update skip locked
         ) returning id, domain`,
        [new Date(now.getTime() + leaseMs), now],
      )
      await Promise.all(
        due.map(async ({ id, domain }) => {
          const check = await checkTls(domain, deps, deps.now(), signal)
          // A run that was stopped has learned nothing; the lease brings the domain back.
          if (!signal.aborted) await recordTlsCheck(deps, id, check)
        }),
      )
      if (due.length < batchDomainsMax || signal.aborted) return
    }
  },
})

async function recordTlsCheck(deps: JobDeps, id: string, check: TlsCheck): Promise<void> {
  const now = deps.now()
  const everyMs = check.status === 'VALID' ? healthyEveryMs : troubledEveryMs
  // A domain that was removed meanwhile is simply not there to update.
  await deps.em().nativeUpdate(
    CustomDomain,
    { id },
    {
      tlsStatus: check.status,
      tlsExpiresAt: check.expiresAt,
      tlsIssuer: check.issuer,
      tlsError: check.error,
      tlsCheckedAt: now,
      nextTlsProbeAt: new Date(now.getTime() + spread(everyMs)),
    },
  )
}
