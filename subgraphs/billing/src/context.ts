import type { EntityManager } from '@sluice/kit/database'
import type { Principal } from '@sluice/kit/principal'
import type DataLoader from 'dataloader'

import type { PlanSubscription } from './plan/plan-subscription.entity.ts'
import type { Usage } from './usage/usage.ts'

/** One request: who asks, and entity managers. */
export interface Context {
  principal: Principal
  /** Where the call came from; empty when nobody said. */
  visitorIp: string
  /** Sees the rows of the own organizations only. */
  em: EntityManager
  /** Sees every organization: for staff of the platform and for subscriptions that are made on first sight. */
  systemEm: () => EntityManager
  now: () => Date
  loaders: Loaders
}

/** Each key of a request in a fixed number of statements, however many representations ask. */
export interface Loaders {
  /** By organization; made when it is missing. */
  subscription: DataLoader<string, PlanSubscription>
  subscriptionById: DataLoader<string, PlanSubscription | null>
  usage: DataLoader<PlanSubscription, Usage, string>
}
