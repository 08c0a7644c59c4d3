import { SluiceError } from '@sluice/schema/errors'

import type { Generation } from './generation.ts'
import type { LiveSubscription } from './live-subscription.ts'

/** The supergraph in use, and those before it that live subscriptions still stand on. */
export interface Generations {
  current(): Generation
  /** Swaps the pointer. Subscriptions of the one before go on until the drain deadline. */
  replace(next: Generation): void
  /** Ties a subscription to the generation that it was planned with. */
  hold(generation: Generation, live: LiveSubscription): void
  close(): void
}

export function createGenerations(first: Generation, drainMs: number): Generations {
  let current = first
  const held = new Map<Generation, Set<LiveSubscription>>()
  const timers = new Set<NodeJS.Timeout>()

  function endAll(generation: Generation): void {
    const reason = new SluiceError('SLUICE_SUBSCRIPTION_RELOAD')
    for (const live of held.get(generation) ?? []) live.endWith(reason)
    held.delete(generation)
  }

  return {
    current: () => current,
    replace(next) {
      const before = current
      current = next
      const timer = setTimeout(() => {
        timers.delete(timer)
        endAll(before)
      }, drainMs)
      timers.add(timer)
    },
    hold(generation, live) {
      const lives = held.get(generation) ?? new Set()
      held.set(generation, lives)
      lives.add(live)
      live.onceEnded(() => {
        lives.delete(live)
        if (lives.size === 0 && generation !== current) held.delete(generation)
      })
    },
    close() {
      for (const timer of timers) clearTimeout(timer)
      for (const generation of held.keys()) endAll(generation)
    },
  }
}
