import type { EntityManager } from '@sluice/kit/database'
import { exportRowsPerPage, rowsByPage, type PersonExport } from '@sluice/kit/person-export'

import { PlanSubscription } from './plan-subscription.entity.ts'

/** What billing keeps of a person: the plans that they chose last. Each earlier choice is an act in the audit. */
export function exportPlans(em: () => EntityManager, userId: string): PersonExport {
  return { chosenPlans: chosenPlans(em, userId) }
}

async function* chosenPlans(em: () => EntityManager, changedBy: string) {
  const subscriptions = rowsByPage<PlanSubscription>((after) =>
    em().find(
      PlanSubscription,
      { changedBy, ...(after ? { id: { $gt: after.id } } : {}) },
      { orderBy: { id: 'asc' }, limit: exportRowsPerPage },
    ),
  )
  for await (const { organizationId, planId, startedAt, changedAt, endedAt } of subscriptions) {
    yield { organizationId, planId, startedAt, chosenAt: changedAt, endedAt }
  }
}
