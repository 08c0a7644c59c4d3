import type { SluiceError } from '@sluice/schema/errors'

import type { LiveSubscription } from '../live-subscription.ts'
import type { Budget } from './budget.ts'
import { eventsPerPrice } from './cost.ts'

/**
 * Has a subscription pay as it goes: its price, which was paid at the start, once more before each further `eventsPerPrice`
 * events. Calls `onUnpaid` once, when the key has nothing left; what was read meanwhile is not charged.
 */
export function payPerEvents(
  live: LiveSubscription,
  price: number,
  budget: Budget,
  onUnpaid: (error: SluiceError) => void,
): void {
  let isPaid = true
  live.onEvery(eventsPerPrice, () => {
    budget.spend(price).catch((error: unknown) => {
      if (isPaid) onUnpaid(error as SluiceError)
      isPaid = false
    })
  })
}
