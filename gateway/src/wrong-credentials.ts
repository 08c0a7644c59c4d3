import type { AttemptLimit, Attempts } from '@sluice/kit/attempts'
import { addressOf } from '@sluice/kit/network'
import { SluiceError, type ErrorCode } from '@sluice/schema/errors'
import { LRUCache } from 'lru-cache'

import type { Authenticated } from './identity.ts'
import type { Limits } from './limits.ts'

/** What identity says of an authtoken or an API key that is nobody's. One that is expired or suspended was somebody's. */
const wrong: ReadonlySet<ErrorCode> = new Set([
  'SLUICE_AUTHTOKEN_INVALID',
  'SLUICE_API_KEY_INVALID',
])

/**
 * Keeps out addresses that try authtokens and API keys. Different wrong ones are counted, each once per window, so that a
 * program that goes on with a revoked one keeps nobody out; past the limit an address is refused unasked until the window
 * ends. A credential that was good here lately is not concerned: whoever works behind the same address goes on.
 */
export function createWrongCredentials(attempts: Attempts, limits: Limits, now: () => number) {
  const limit: AttemptLimit = {
    name: 'credential',
    attemptsMax: limits.wrongCredentialsMax,
    windowMs: limits.wrongCredentialsWindowMs,
  }
  const max = limits.authenticationsCachedMax
  const good = new LRUCache<string, true>({ max, ttl: limits.goodCredentialKeptMs })
  const counted = new LRUCache<string, true>({ max, ttl: limit.windowMs })
  const refusedUntilMs = new LRUCache<string, number>({ max, ttl: limit.windowMs })

  const refuse = (retryAfterSeconds: number) =>
    new SluiceError('SLUICE_RATE_LIMITED', { retryAfterSeconds })

  return {
    /** Asks who holds a credential, unless its address has tried too many. `key` is unique to credential and address. */
    async guard(
      key: string,
      ip: string,
      ask: () => Promise<Authenticated>,
    ): Promise<Authenticated> {
      const address = addressOf(ip)
      const leftMs = (refusedUntilMs.get(address) ?? 0) - now()
      if (leftMs > 0 && !good.has(key)) throw refuse(Math.ceil(leftMs / 1000))
      try {
        const answer = await ask()
        good.set(key, true)
        return answer
      } catch (error) {
        if (!(error instanceof SluiceError) || !wrong.has(error.code)) throw error
        good.delete(key)
        if (counted.has(key)) throw error
        counted.set(key, true)
        const seconds = await attempts.waitSeconds([[limit, address]])
        if (seconds === 0) throw error
        refusedUntilMs.set(address, now() + seconds * 1000)
        throw refuse(seconds)
      }
    },
  }
}
