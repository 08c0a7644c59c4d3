import { createHash } from 'node:crypto'

import { freeEntitlements, type Entitlements } from '@sluice/schema/events'

/** A named set of entitlements at a price. */
export interface Plan {
  id: PlanId
  name: string
  description: string
  /** Per month, in the smallest unit of `currency`. */
  monthlyPriceMinor: number
  currency: string
  entitlements: Entitlements
}

export type PlanId = 'free' | 'starter' | 'pro' | 'business'

const gibibyte = 1024 ** 3

/** The plans, the smallest first. Prices and entitlements change with a release, not with a row. */
export const plans: readonly Plan[] = [
  {
    id: 'free',
    name: 'Free',
    description: 'To try Sluice and for small things of your own.',
    monthlyPriceMinor: 0,
    currency: 'USD',
    entitlements: freeEntitlements,
  },
  {
    id: 'starter',
    name: 'Starter',
    description: 'For a developer who shares work every day.',
    monthlyPriceMinor: 900,
    currency: 'USD',
    entitlements: {
      maxTunnels: 10,
      maxConcurrentConnections: 100,
      maxCustomDomains: 5,
      portTunnels: true,
      maxMembers: 5,
      requestsPerPeriod: 200_000,
      bytesPerPeriod: 25 * gibibyte,
      requestLogDays: 7,
    },
  },
  {
    id: 'pro',
    name: 'Pro',
    description: 'For a team with previews, webhooks and demos.',
    monthlyPriceMinor: 2_900,
    currency: 'USD',
    entitlements: {
      maxTunnels: 50,
      maxConcurrentConnections: 500,
      maxCustomDomains: 20,
      portTunnels: true,
      maxMembers: 25,
      requestsPerPeriod: 2_000_000,
      bytesPerPeriod: 250 * gibibyte,
      requestLogDays: 30,
    },
  },
  {
    id: 'business',
    name: 'Business',
    description: 'For a company that runs traffic of its customers through tunnels.',
    monthlyPriceMinor: 9_900,
    currency: 'USD',
    entitlements: {
      maxTunnels: 250,
      maxConcurrentConnections: 2_000,
      maxCustomDomains: 49,
      portTunnels: true,
      maxMembers: 200,
      requestsPerPeriod: 20_000_000,
      bytesPerPeriod: 2_048 * gibibyte,
      requestLogDays: 90,
    },
  },
]

const byId = new Map<string, Plan>(plans.map((plan) => [plan.id, plan]))

/** Changes when a release changes what any plan allows. */
export const plansVersion = createHash('sha256')
  .update(JSON.stringify(plans.map(({ id, entitlements }) => [id, entitlements])))
  .digest('hex')
  .slice(0, 16)

/** The plan every organization begins with. */
export const firstPlanId: PlanId = 'free'

export function findPlan(id: string): Plan | null {
  return byId.get(id) ?? null
}
