import type { Client, FormattedExecutionResult } from 'graphql-ws'

/** Payloads of one subscription in the order in which they came. */
type Payload = FormattedExecutionResult<Record<string, unknown>, unknown>

export interface Received {
  next(): Promise<Payload>
  /** Resolves when the subscription is over, with its error or null. */
  readonly over: Promise<unknown>
  cancel(): void
}

export function subscribed(
  client: Client,
  query: string,
  variables?: Record<string, unknown>,
): Received {
  const waiting: Payload[] = []
  let wake: (() => void) | null = null
  const { promise: over, resolve } = Promise.withResolvers<unknown>()
  const cancel = client.subscribe(
    { query, ...(variables ? { variables } : {}) },
    {
      next(value) {
        waiting.push(value)
        wake?.()
      },
      error: resolve,
      complete: () => resolve(null),
    },
  )
  return {
    async next() {
      for (;;) {
        const value = waiting.shift()
        if (value) return value
        await new Promise<void>((again) => {
          wake = again
        })
      }
    },
    over,
    cancel,
  }
}
