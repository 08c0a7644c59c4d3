import type { EntityManager } from '@sluice/kit/database'
import { isUuid } from '@sluice/kit/uuid'
import DataLoader from 'dataloader'

import type { Loaders } from './context.ts'
import { PlanSubscription } from './plan/plan-subscription.entity.ts'
import { ensureSubscriptions } from './plan/plan-subscription.ts'
import { usageOf } from './usage/usage.ts'

/** Loads of one request. Whoever asks has made sure that the principal may read these organizations. */
export function createLoaders(
  em: EntityManager,
  systemEm: () => EntityManager,
  now: () => Date,
): Loaders {
  return {
    subscription: new DataLoader(async (organizationIds) => {
      const find = () =>
        em.find(PlanSubscription, { organizationId: { $in: Array.from(organizationIds) } })
      let found = await find()
      const known = new Set(found.map((one) => one.organizationId))
      const missing = organizationIds.filter((id) => !known.has(id))
      if (missing.length > 0) {
        // The event of a new organization is still under way.
        await systemEm().transactional((inside) => ensureSubscriptions(inside, missing))
        found = await find()
      }
      const byOrganization = new Map(found.map((one) => [one.organizationId, one]))
      return organizationIds.map(
        (id) => byOrganization.get(id) ?? new Error('an organization has no subscription'),
      )
    }),
    subscriptionById: new DataLoader(async (ids) => {
      const found = await em.find(PlanSubscription, { id: { $in: ids.filter(isUuid) } })
      const byId = new Map(found.map((one) => [one.id, one]))
      return ids.map((id) => byId.get(id) ?? null)
    }),
    usage: new DataLoader(
      (subscriptions: readonly PlanSubscription[]) => usageOf(em, subscriptions, now()),
      { cacheKeyFn: (subscription) => subscription.id },
    ),
  }
}
