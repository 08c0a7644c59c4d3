import type { Problem } from '../graph/problem.ts'

/** What a sign-in gives: kept in memory only, so that no script of another tab or a later visitor finds it. */
export interface Grant {
  readonly accessToken: string
  /** ISO time. */
  readonly expiresAt: string
  readonly userId: string
}

/** How a refresh ended. Only a refusal ends the sign-in: a network that is gone says nothing about it. */
export type RefreshAnswer =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'unreachable'; readonly problem: Problem }

export type SignInState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'unreachable'; readonly problem: Problem }
  | { readonly kind: 'out'; readonly problem: Problem | null }
  | { readonly kind: 'in'; readonly userId: string }

export interface SignInDeps {
  /** Trades the refresh cookie for a grant. It must be the only one at it in this browser. */
  readonly refresh: () => Promise<RefreshAnswer>
  readonly now: () => number
  /** Runs `fire` once after `delayMs`; returns how to cancel it. */
  readonly setTimer: (fire: () => void, delayMs: number) => () => void
}

/** How long before its end an access token is replaced. */
export const refreshLeadMs = 60_000
/** A token with less left than this is not sent any more: it could end on the way. */
const staleLeadMs = 10_000
export const retryFirstMs = 2_000
const retryMaxMs = 60_000

export type SignInStore = ReturnType<typeof createSignIn>

/** Whether this browser is signed in, and the access token that says so. */
export function createSignIn({ refresh: ask, now, setTimer }: SignInDeps) {
  const listeners = new Set<() => void>()
  let state: SignInState = { kind: 'starting' }
  let grant: Grant | null = null
  let inFlight: Promise<void> | null = null
  let cancelTimer = () => {}
  let failures = 0
  // Rises with every sign-in and sign-out: an answer that was asked for before does not count after.
  let epoch = 0

  const become = (next: SignInState) => {
    const same = JSON.stringify(next) === JSON.stringify(state)
    state = next
    if (!same) for (const listener of listeners) listener()
  }

  const isStale = () => grant === null || Date.parse(grant.expiresAt) - now() < staleLeadMs

  const schedule = (delayMs: number) => {
    cancelTimer()
    cancelTimer = setTimer(() => void refresh(), delayMs)
  }

  const accept = (next: Grant) => {
    epoch += 1
    failures = 0
    grant = next
    const lifeMs = Date.parse(next.expiresAt) - now()
    schedule(Math.max(lifeMs - refreshLeadMs, lifeMs / 2, 1_000))
    become({ kind: 'in', userId: next.userId })
  }

  const end = (problem: Problem | null = null) => {
    epoch += 1
    grant = null
    cancelTimer()
    become({ kind: 'out', problem })
  }

  const settle = (answer: RefreshAnswer) => {
    if (answer.kind === 'granted') return accept(answer.grant)
    if (answer.kind === 'refused') {
      // Nobody was signed in before a first visit: that is no news. A copied refresh token is.
      const wasIn = state.kind === 'in' || answer.problem.code === 'SLUICE_SIGN_IN_REUSED'
      return end(wasIn ? answer.problem : null)
    }
    failures += 1
    schedule(Math.min(retryFirstMs * 2 ** (failures - 1), retryMaxMs))
    if (state.kind !== 'in') become({ kind: 'unreachable', problem: answer.problem })
  }

  /** One refresh at a time: a second use of the same refresh token would end the sign-in. */
  const refresh = (): Promise<void> => {
    if (state.kind === 'out') return Promise.resolve()
    inFlight ??= runRefresh().finally(() => {
      inFlight = null
    })
    return inFlight
  }

  const runRefresh = async () => {
    const asked = epoch
    const answer = await ask()
    if (asked === epoch) settle(answer)
  }

  return {
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    start: refresh,
    refresh,
    accept,
    end,
    isStale: () => state.kind === 'in' && isStale(),
    token: () => grant?.accessToken ?? null,
    /** A token that lives long enough to be sent, or null when there is none. */
    async freshToken(): Promise<string | null> {
      if (isStale()) await refresh()
      return isStale() ? null : (grant?.accessToken ?? null)
    },
    close() {
      epoch += 1
      cancelTimer()
      listeners.clear()
    },
  }
}
