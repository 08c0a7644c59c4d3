import type { EntityManager } from '@sluice/kit/database'

import { periodOf, type Period } from '../plan/period.ts'
import type { PlanSubscription } from '../plan/plan-subscription.entity.ts'
import { planOf } from '../plan/plan-subscription.ts'
import { KnownTunnel } from '../tunnel/known-tunnel.entity.ts'
import { UsagePeriod } from './usage.entity.ts'

/** How much of one entitlement is used. */
export interface Meter {
  used: number
  limit: number
}

/** What an organization uses in the current period. */
export interface Usage {
  period: Period
  tunnels: Meter
  requests: Meter
  bytes: Meter
}

/** The usage of many organizations at `now`, in two statements. */
export async function usageOf(
  em: EntityManager,
  subscriptions: readonly PlanSubscription[],
  now: Date,
): Promise<Usage[]> {
  const organizationIds = subscriptions.map(({ organizationId }) => organizationId)
  const periods = subscriptions.map(({ startedAt }) => periodOf(startedAt, now))
  const totals = await em.find(UsagePeriod, {
    organizationId: { $in: organizationIds },
    periodStart: { $in: periods.map(({ start }) => start) },
  })
  const tunnels = await em.countBy(KnownTunnel, 'organizationId', {
    where: { organizationId: { $in: organizationIds } },
  })

  const totalOf = new Map(
    totals.map((total) => [keyOf(total.organizationId, total.periodStart), total]),
  )
  return subscriptions.map((subscription, index) => {
    const { organizationId } = subscription
    const period = periods[index] ?? periodOf(subscription.startedAt, now)
    const total = totalOf.get(keyOf(organizationId, period.start))
    const { maxTunnels, requestsPerPeriod, bytesPerPeriod } = planOf(subscription).entitlements
    return {
      period,
      tunnels: { used: tunnels[organizationId] ?? 0, limit: maxTunnels },
      requests: { used: Number(total?.requests ?? 0), limit: requestsPerPeriod },
      bytes: { used: Number(total?.bytes ?? 0), limit: bytesPerPeriod },
    }
  })
}

function keyOf(organizationId: string, periodStart: Date): string {
  return `${organizationId} ${periodStart.getTime()}`
}
