import { LockMode } from '@mikro-orm/core'
import { recordAct, system } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'

import { Certificate } from '../certificate/certificate.entity.ts'
import { CustomDomain } from '../domain/custom-domain.entity.ts'
import { recordDetached } from '../domain/custom-domain.ts'
import { Allowance } from './allowance.entity.ts'

/** Removes the domains of an organization that is gone, with their certificates: others may prove them from now on. */
export async function forgetOrganization(em: EntityManager, organizationId: string): Promise<void> {
  const lockName = `sluice:domains:${organizationId}`
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lockName])
  // A request that was under way adds none.
  await em.upsert(Allowance, { organizationId, maxCustomDomains: 0 })
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } } as const
  for (const domain of await em.find(CustomDomain, { organizationId }, lock)) {
    if (domain.tunnelId) recordDetached(em, domain)
    await em.nativeDelete(Certificate, { domainId: domain.id })
    recordAct(em, {
      action: 'domain.removed',
      actor: system,
      organizationId,
      target: { type: 'domain', id: domain.id },
      details: `${domain.domain}: the organization was deleted`,
      at: new Date(),
    })
    em.remove(domain)
  }
  await em.flush()
}
