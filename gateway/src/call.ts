import type { Principal } from '@sluice/kit/principal'

import type { Budget } from './public/budget.ts'

/** One operation on its way through the gateway: who asks, until when, and what goes back beside the data. */
export interface Call {
  readonly principal: Principal
  /** Equal for two calls that may see the same data: the principal, and what else reaches subgraphs and could tell. */
  readonly identityKey: string
  readonly requestId: string
  readonly visitorIp: string
  /** Ends when the client left or its time is over; the reason says which. */
  readonly signal: AbortSignal
  /** What the caller may still spend; absent where nothing is counted. */
  readonly budget?: Budget
  /** One of many of its kind in a moment: its entity fetches may wait for their like within a turn. */
  readonly batched?: boolean
  /** What the browser calls itself, for identity alone: a hint in the list of sign-ins. */
  readonly userAgent: string | null
  /** The refresh cookie's value, for identity alone. */
  readonly refreshToken: string | null
  /** Takes a Set-Cookie value that identity wants the client to have. */
  setCookie(value: string): void
  /** Called after a mutation at identity: it may have made the caller somebody else, an owner for example. */
  identityChanged(): void
}

export function identityKeyOf(principal: Principal, visitorIp: string): string {
  return `${JSON.stringify(principal)} ${visitorIp}`
}
