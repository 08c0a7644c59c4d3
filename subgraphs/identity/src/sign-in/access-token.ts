import type { SigningKeys } from '@sluice/kit/signing-keys'
import { isUuid } from '@sluice/kit/uuid'
import {
  signInTokenAudience,
  signInTokenSeconds,
  signInTokenType,
  tokenIssuer,
} from '@sluice/schema/claims'
import { SluiceError } from '@sluice/schema/errors'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JWTVerifyGetKey } from 'jose'

/** What a sign-in's JWT says. */
interface AccessToken {
  userId: string
  signInId: string
  /** The number of the refresh token that it came with; null when it came with none. */
  generation: number | null
  expiresAt: Date
}

export interface AccessTokens {
  issue(
    userId: string,
    signInId: string,
    seconds?: number,
    generation?: number,
  ): Promise<{ text: string; expiresAt: Date }>
  /** Throws SLUICE_UNAUTHENTICATED for anything but a token of ours that is still good. */
  verify(text: string): Promise<AccessToken>
}

export function createAccessTokens(keys: SigningKeys): AccessTokens {
  let known: { publicJwks: SigningKeys['publicJwks']; verifier: JWTVerifyGetKey } | null = null
  /** Made anew when a rotation has changed the keys. */
  const keySet = () => {
    const { publicJwks } = keys
    if (known?.publicJwks !== publicJwks) {
      known = { publicJwks, verifier: createLocalJWKSet(publicJwks) }
    }
    return known.verifier
  }
  return {
    async issue(userId, signInId, seconds = signInTokenSeconds, generation?) {
      const claims = { iss: tokenIssuer, aud: signInTokenAudience, sub: userId, sid: signInId }
      const counted = generation === undefined ? claims : { ...claims, gen: generation }
      const text = await keys.sign(signInTokenType, counted, seconds)
      return { text, expiresAt: new Date((decodeJwt(text).exp ?? 0) * 1000) }
    },
    async verify(text) {
      try {
        const { payload } = await jwtVerify<{ sid: string; gen?: unknown }>(text, keySet(), {
          algorithms: ['EdDSA'],
          issuer: tokenIssuer,
          audience: signInTokenAudience,
          typ: signInTokenType,
          requiredClaims: ['exp', 'sub', 'sid'],
        })
        const { sub = '', sid, gen, exp = 0 } = payload
        if (!isUuid(sub) || !isUuid(sid)) throw new Error('the token names no user or sign-in')
        const generation = typeof gen === 'number' ? gen : null
        return { userId: sub, signInId: sid, generation, expiresAt: new Date(exp * 1000) }
      } catch (error) {
        throw new SluiceError('SLUICE_UNAUTHENTICATED', {}, { cause: error })
      }
    },
  }
}
