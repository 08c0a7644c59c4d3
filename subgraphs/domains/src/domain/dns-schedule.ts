import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '@sluice/kit/database'
import { anonymous } from '@sluice/kit/principal'

import type { Context } from '../context.ts'
import { CustomDomain } from './custom-domain.entity.ts'
import type { DnsCheck } from './dns-check.ts'
import { recordDomainAct } from './domain-act.ts'

const dnsCheckEveryMsMin = 60_000
const dnsCheckEveryMsMax = 6 * 3_600_000
/** A domain that stays pending longer is checked only when somebody asks. */
const pendingDaysMax = 30
const jitter = 0.2

/** When a new domain is checked by itself: people need a minute to set the record. */
export function firstDnsCheckAt(now: Date): Date {
  return new Date(now.getTime() + spread(dnsCheckEveryMsMin))
}

/** Doubles the wait with each check, up to hours; null when the domain has been pending for too long. */
function nextDnsCheckAt(domain: { createdAt: Date; dnsChecks: number }, now: Date) {
  const pendingMs = now.getTime() - domain.createdAt.getTime()
  if (pendingMs > pendingDaysMax * 24 * 3_600_000) return null
  const waitMs = Math.min(
    dnsCheckEveryMsMin * 2 ** Math.min(domain.dnsChecks, 20),
    dnsCheckEveryMsMax,
  )
  return new Date(now.getTime() + spread(waitMs))
}

/** Spread around `waitMs`, so that domains added together are not checked together for ever. */
export function spread(waitMs: number): number {
  return Math.round(waitMs * (1 - jitter + Math.random() * 2 * jitter))
}

/** Stores what DNS said; the first organization with a good proof gets the domain, and keeps it. */
export async function recordDnsCheck(
  em: EntityManager,
  domain: CustomDomain,
  check: DnsCheck,
  now: Date,
  /** Who asked for the check; the platform itself if left out. */
  asker: Pick<Context, 'principal' | 'visitorIp'> = { principal: anonymous, visitorIp: '' },
): Promise<'recorded' | 'taken' | 'gone'> {
  const seen = { lastCheckedAt: now, txtFound: check.txtFound, cnameFound: check.cnameFound }
  const where = { id: domain.id, token: domain.token }
  const pending = (lastError: string | null) => ({
    ...seen,
    lastError,
    dnsChecks: domain.dnsChecks + 1,
    nextDnsCheckAt: nextDnsCheckAt(domain, now),
  })
  if (domain.isVerified()) {
    // Losing the record later takes nothing away: it may be cleaned up once it has proven the domain.
    const changed = await em.nativeUpdate(CustomDomain, where, {
      ...seen,
      lastError: check.problem,
    })
    return changed === 0 ? 'gone' : 'recorded'
  }
  if (check.problem !== null) {
    const stillPending = { ...where, status: 'PENDING' as const }
    await em.nativeUpdate(CustomDomain, stillPending, pending(check.problem))
    const left = await em.count(CustomDomain, where)
    return left === 0 ? 'gone' : 'recorded'
  }
  try {
    return await em.transactional(async (inside) => {
      const unproven = { ...where, status: 'PENDING' as const }
      const changed = await inside.nativeUpdate(CustomDomain, unproven, {
        ...seen,
        lastError: null,
        status: 'VERIFIED',
        verifiedAt: now,
        nextDnsCheckAt: null,
        nextTlsProbeAt: now,
      })
      if (changed > 0) {
        recordDomainAct(inside, asker, 'domain.verified', domain)
        return 'recorded'
      }
      // Of two checks at once the other one may have proven it.
      return (await inside.count(CustomDomain, where)) > 0 ? 'recorded' : 'gone'
    })
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error
    await em.nativeUpdate(CustomDomain, where, pending('another organization has this domain'))
    return 'taken'
  }
}
