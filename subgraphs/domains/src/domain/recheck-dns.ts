import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { CustomDomain } from './custom-domain.entity.ts'
import { checkDns } from './dns-check.ts'
import { recordDnsCheck } from './dns-schedule.ts'

const batchDomainsMax = 20
/** A batch that a dead worker had taken is due again after this. */
const leaseMs = 120_000

/** Asks DNS about pending domains that are due, so that a domain verifies itself once its record is set. */
export const recheckDns = defineJob({
  name: 'dns.recheck',
  payload: z.object({}),

  async run(_payload, deps: JobDeps, signal) {
    for (;;) {
      const em = deps.em()
      const now = deps.now()
      const due = await em.execute<{ id: string }[]>(
        `update domains.custom_domain set next_dns_check_at = ?
         where id in (
           select id from domains.custom_domain where next_dns_check_at <= ?
           order by next_dns_check_at limit ${batchDomainsMax} for update skip locked
         ) returning id`,
        [new Date(now.getTime() + leaseMs), now],
      )
      const domains = await em.find(CustomDomain, { id: { $in: due.map(({ id }) => id) } })
      await Promise.all(
        domains.map(async (domain) => {
          const question = { ...pick(domain), cnameTarget: deps.cnameTarget }
          const check = await checkDns(question, deps, signal)
          // A run that was stopped has learned nothing; the lease brings the domain back.
          if (!signal.aborted) await recordDnsCheck(deps.em(), domain, check, deps.now())
        }),
      )
      if (due.length < batchDomainsMax || signal.aborted) return
    }
  },
})

function pick({ domain, token }: CustomDomain) {
  return { domain, token }
}
