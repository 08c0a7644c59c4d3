import { tokenIssuer } from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { LRUCache } from 'lru-cache'

import { Principal } from './principal.ts'
import type { SigningKeys } from './signing-keys.ts'

export type SubgraphName = 'identity' | 'tunnels' | 'domains' | 'billing'

export const internalHeader = 'x-sluice-internal'
export const requestIdHeader = 'x-request-id'
export const visitorIpHeader = 'x-sluice-visitor-ip'

const internalTokenType = 'internal+jwt'
const internalTokenSeconds = 60
/** A token is handed out again at most this long, so that it is still valid when it arrives. */
const reuseMs = 40_000
const cachedTokensMax = 10_000

/** The gateway's side: one signed header value per principal and subgraph, reused while it is fresh. */
export function createInternalSigner(keys: SigningKeys) {
  const cache = new LRUCache<string, Promise<string>>({ max: cachedTokensMax, ttl: reuseMs })
  return {
    headerFor(principal: Principal, audience: SubgraphName): Promise<string> {
      const cacheKey = `${audience} ${JSON.stringify(principal)}`
      const cached = cache.get(cacheKey)
      if (cached) return cached
      const token = keys.sign(
        internalTokenType,
        { iss: tokenIssuer, aud: audience, principal },
        internalTokenSeconds,
      )
      cache.set(cacheKey, token)
      token.catch(() => cache.delete(cacheKey))
      return token
    },
  }
}
export type InternalSigner = ReturnType<typeof createInternalSigner>

/** The subgraph's side: throws SLUICE_UNAUTHENTICATED for anything but a fresh token of the gateway for this subgraph. */
export function createInternalVerifier(publicJwks: JSONWebKeySet, audience: SubgraphName) {
  const keySet = createLocalJWKSet(publicJwks)
  const verified = new LRUCache<string, { principal: Principal; expiresAtMs: number }>({
    max: cachedTokensMax,
  })
  return async (token: string | null | undefined): Promise<Principal> => {
    if (!token) throw new SluiceError('SLUICE_UNAUTHENTICATED')
    const known = verified.get(token)
    if (known && known.expiresAtMs > Date.now()) return known.principal
    try {
      const { payload } = await jwtVerify(token, keySet, {
        algorithms: ['EdDSA'],
        issuer: tokenIssuer,
        audience,
        typ: internalTokenType,
        requiredClaims: ['exp'],
      })
      const principal = Principal.parse(payload['principal'])
      verified.set(token, { principal, expiresAtMs: (payload.exp ?? 0) * 1000 })
      return principal
    } catch (error) {
      throw new SluiceError('SLUICE_UNAUTHENTICATED', {}, { cause: error })
    }
  }
}
export type InternalVerifier = ReturnType<typeof createInternalVerifier>
