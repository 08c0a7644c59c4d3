import { forkSystem, type EntityManager, type Orm } from '@sluice/kit/database'
import { checkTxt, openResolver, type DnsOptions, type TxtCheck } from '@sluice/kit/dns-proof'
import type { Log } from '@sluice/kit/log'

import { recordAct } from '../audit/audit.ts'
import { mailManagers } from '../mail/mail-managers.ts'
import { lockOrganization } from '../organization/organization.ts'
import { EmailDomain } from './email-domain.entity.ts'

const hourMs = 60 * 60_000
/** DNS is asked about a proven domain so often, and about one whose record is missing, or that DNS said nothing of, sooner. */
const recheckEveryMs = 12 * hourMs
const doubtEveryMs = 3 * hourMs
const jitter = 0.2
/** So long a domain stays proven after its record was first missed: a mistake in DNS takes nobody's way in at once. */
export const emailDomainGraceMs = 7 * 24 * hourMs

const lookEveryMs = 5 * 60_000
const batchDomainsMax = 20
/** A batch that a dead replica had taken is due again after this. */
const leaseMs = 2 * 60_000

export interface RecheckDeps {
  readonly orm: Orm
  readonly dns: DnsOptions
  readonly now: () => Date
  readonly wakeMail: () => void
  readonly log: Log
}

/** Asks DNS about proven email domains again and again, as long as the process runs. */
export function openEmailDomainChecks(deps: RecheckDeps): { close(): Promise<void> } {
  let running = Promise.resolve()
  let isClosed = false
  const timer = setInterval(() => {
    running = running
      .then(() => recheckEmailDomains(deps, () => isClosed))
      .catch((error: unknown) => {
        // What was taken is due again after its lease.
        deps.log.warn({ err: error }, 'email domains could not be checked')
      })
  }, lookEveryMs)
  timer.unref()
  return {
    async close() {
      isClosed = true
      clearInterval(timer)
      await running
    },
  }
}

/** Checks the domains that are due. Of several replicas each takes those that no other has. */
export async function recheckEmailDomains(
  deps: RecheckDeps,
  isClosed = () => false,
): Promise<void> {
  const { orm, dns, now } = deps
  for (;;) {
    const em = forkSystem(orm)
    const due = await em.execute<{ id: string }[]>(
      `update "identity"."email_domain" set next_check_at = ?
       where id in (
         select id from "identity"."email_domain"
         where status = 'VERIFIED' and (next_check_at is null or next_check_at <= ?)
         order by next_check_at nulls first limit ${batchDomainsMax} for update skip locked
       ) returning id`,
      [new Date(now().getTime() + leaseMs), now()],
    )
    const domains = await em.find(EmailDomain, { id: { $in: due.map(({ id }) => id) } })
    await Promise.all(
      domains.map(async (domain) => {
        const check = await checkTxt(openResolver(dns), domain.domain, domain.token)
        await noteProof(deps, domain, check)
      }),
    )
    if (due.length < batchDomainsMax || isClosed()) return
  }
}

/**
 * What a check of a proven domain comes to. A record that is missing for longer than the grace takes the proof; that DNS is
 * silent proves nothing. Those who may set up single sign-on hear of it when it begins and when it ends.
 */
export async function noteProof(
  { orm, now, wakeMail }: Omit<RecheckDeps, 'dns' | 'log'>,
  { id, organizationId, token }: Pick<EmailDomain, 'id' | 'organizationId' | 'token'>,
  { txtFound, problem }: TxtCheck,
): Promise<void> {
  const at = now()
  const isTold = await forkSystem(orm).transactional(async (em) => {
    await lockOrganization(em, organizationId)
    const domain = await em.findOne(EmailDomain, { id, token, status: 'VERIFIED' })
    // Removed, or lost to somebody else, while DNS was asked.
    if (!domain) return false
    const isMissing = txtFound === false
    const since = domain.missingSince ?? null
    Object.assign(domain, {
      lastCheckedAt: at,
      lastError: problem,
      nextCheckAt: new Date(at.getTime() + spread(txtFound ? recheckEveryMs : doubtEveryMs)),
      ...(txtFound === null ? {} : { missingSince: isMissing ? (since ?? at) : null }),
    })
    if (!isMissing) return since !== null && txtFound === true && tell(em, domain, 'found', at)
    if (since === null) return tell(em, domain, 'missing', at)
    if (at.getTime() - since.getTime() < emailDomainGraceMs) return false
    Object.assign(domain, unproven)
    return tell(em, domain, 'lost', at)
  })
  if (isTold) wakeMail()
}
const unproven = {
  status: 'PENDING',
  verifiedAt: null,
  missingSince: null,
  nextCheckAt: null,
} as const

/** Takes a proof at once: somebody else has shown that the domain is theirs. */
export async function loseProof(
  { orm, now, wakeMail }: Omit<RecheckDeps, 'dns' | 'log'>,
  { id, organizationId }: Pick<EmailDomain, 'id' | 'organizationId'>,
  lastError: string,
): Promise<void> {
  await forkSystem(orm).transactional(async (em) => {
    await lockOrganization(em, organizationId)
    const domain = await em.findOne(EmailDomain, { id, status: 'VERIFIED' })
    if (!domain) return
    Object.assign(domain, unproven, { lastError })
    await tell(em, domain, 'lost', now())
  })
  wakeMail()
}

async function tell(
  em: EntityManager,
  { id, organizationId, domain }: EmailDomain,
  what: 'missing' | 'found' | 'lost',
  at: Date,
): Promise<boolean> {
  const target = { type: 'email-domain', id } as const
  const action = `email-domain.${what}` as const
  recordAct(em, { action, actor: null, organizationId, target, details: domain, ip: '', at })
  if (what === 'found') return false
  const kind = `email-domain-${what}` as const
  await mailManagers(em, { kind, organizationId, permission: 'sso.manage', at })
  return true
}

/** Domains that were proven together are not checked together for ever. */
function spread(waitMs: number): number {
  return Math.round(waitMs * (1 - jitter + Math.random() * 2 * jitter))
}
