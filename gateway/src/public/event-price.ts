import type { SluiceError } from '@sluice/schema/errors'

import type { LiveSubscription } from '../live-subscription.ts'
import type { Budget } from './budget.ts'
import { eventsPerPrice } from './cost.ts'

/**
 * Has a subscription pay as it goes: its price, which was paid at the start, once more before each further `eventsPerPrice`
 * events. Ends it when the key has nothing left; what was read meanwhile is not charged.
 */
export function payPerEvents(live: LiveSubscription, price: number, budget: Budget): void {
  live.onEvery(eventsPerPrice, () => {
    budget.spend(price).catch((error: unknown) => live.endWith(error as SluiceError))
  })
}
