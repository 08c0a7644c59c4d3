import { createHash } from 'node:crypto'

import type { Principal } from '@sluice/kit/principal'
import type { Revocation } from '@sluice/schema/redis'
import { LRUCache } from 'lru-cache'

import type { Authenticated, CredentialKind, Identity } from './identity.ts'
import type { Limits } from './limits.ts'
import { isRevoked } from './revocation.ts'
import type { createWrongCredentials } from './wrong-credentials.ts'

const prefixes = { slt_: 'authtoken', slk_: 'api-key' } as const

/** What a credential is, by how it begins. */
export function kindOf(token: string): CredentialKind {
  const prefix = Object.keys(prefixes).find((one) => token.startsWith(one))
  return prefix === undefined ? 'sign-in' : prefixes[prefix as keyof typeof prefixes]
}

type WrongCredentials = ReturnType<typeof createWrongCredentials>

/** What identity has said of credentials lately. Those who ask at once share one question. */
export function createAuthenticationCache(
  identity: Identity,
  wrongCredentials: WrongCredentials,
  limits: Limits,
) {
  const cache = new LRUCache<string, { answer: Promise<Authenticated>; principal?: Principal }>({
    max: limits.authenticationsCachedMax,
    ttl: limits.authenticationCachedMs,
  })
  let revocations = 0

  async function askIdentity(kind: CredentialKind, token: string, ip: string) {
    const before = revocations
    const answer = await identity.authenticate(kind, token, ip)
    // Something was revoked while identity answered: its word may be older than the revocation.
    return before === revocations ? answer : identity.authenticate(kind, token, ip)
  }

  return {
    get(token: string, ip: string): Promise<Authenticated> {
      const key = cacheKeyOf(token, ip)
      const known = cache.get(key)
      if (known) return known.answer
      const kind = kindOf(token)
      const ask = () => askIdentity(kind, token, ip)
      const answer = kind === 'sign-in' ? ask() : wrongCredentials.guard(key, ip, ask)
      cache.set(key, { answer })
      answer.then(
        (authenticated) => {
          const entry = cache.peek(key)
          if (entry?.answer === answer) entry.principal = authenticated.principal
        },
        () => {
          if (cache.peek(key)?.answer === answer) cache.delete(key)
        },
      )
      return answer
    },

    /** Of people only: what a machine's credential stands for does not change by what it asks. */
    forget: (token: string) => void cache.delete(cacheKeyOf(token, '')),

    revoke(revocation: Revocation): void {
      revocations += 1
      for (const [key, { principal }] of cache.entries()) {
        // An answer still under way may be from before the revocation.
        if (!principal || isRevoked(principal, revocation)) cache.delete(key)
      }
    },
  }
}

/**
 * Credentials are not kept, only what they hash to. Those of machines may be good from some addresses only, so what was said
 * of one address is not said of another.
 */
function cacheKeyOf(token: string, ip: string): string {
  const from = kindOf(token) === 'sign-in' ? '' : ip
  return createHash('sha256').update(`${token} ${from}`).digest('base64')
}
