import { actorOf, recordAct } from '@sluice/kit/audit'
import type { EntityManager } from '@sluice/kit/database'
import type { ActAction } from '@sluice/schema/events'

import type { Context } from '../context.ts'
import type { CustomDomain } from './custom-domain.entity.ts'

/** Tells the audit what was done to a domain, in the transaction that does it. */
export function recordDomainAct(
  em: EntityManager,
  { principal, visitorIp }: Pick<Context, 'principal' | 'visitorIp'>,
  action: ActAction & `${'domain' | 'certificate'}.${string}`,
  { id, organizationId, domain }: Pick<CustomDomain, 'id' | 'organizationId' | 'domain'>,
  what = '',
): void {
  recordAct(em, {
    action,
    actor: actorOf(principal),
    organizationId,
    target: { type: 'domain', id },
    details: what === '' ? domain : `${domain}: ${what}`,
    ip: visitorIp,
    at: new Date(),
  })
}
