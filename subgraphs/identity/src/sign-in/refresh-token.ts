import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

import type { PrivateJwks } from '@sluice/kit/signing-keys'

/**
 * A refresh token is `<sign-in id>.<generation>.<secret>`. Each refresh replaces it by its successor, whose secret
 * is an HMAC of the one before under a key that only this server has. So
 * - a row keeps one SHA-256 digest, however often it is refreshed,
 * - an old token proves that it was once good: followed through its successors, it ends at the row's digest,
 * - two tabs that refresh at once get the same successor, instead of one of them being taken for a thief,
 * - an answer that was lost is made up for by the successor’s successor: the one that was lost opens nothing then.
 */
export interface RefreshToken {
  readonly signInId: string
  readonly generation: number
  readonly secret: string
}

/** A token older than this many refreshes proves nothing any more. It bounds the work for one that was made up. */
const successorsFollowedMax = 10_000

export interface RefreshTokens {
  first(signInId: string): RefreshToken
  successorOf(token: RefreshToken): RefreshToken
  /** The successor that a row at `generation` holds. */
  successorAt(token: RefreshToken, generation: number): RefreshToken
  /** Whether following the token's successors up to `generation` ends at this digest. */
  leadsTo(token: RefreshToken, generation: number, hash: string): boolean
}

export function createRefreshTokens(jwks: PrivateJwks): RefreshTokens {
  // When the signing key changes, tokens stay good; only what came before cannot be told from made-up any more.
  const key = Buffer.from(
    hkdfSync('sha256', jwks.keys[0]?.d ?? '', '', 'sluice refresh token successor', 32),
  )
  const nextSecret = (secret: string) =>
    createHmac('sha256', key).update(secret).digest('base64url')
  const secretAfter = (steps: number, first: string) => {
    let secret = first
    for (let step = 0; step < steps; step += 1) secret = nextSecret(secret)
    return secret
  }
  return {
    first: (signInId) => ({
      signInId,
      generation: 0,
      secret: randomBytes(32).toString('base64url'),
    }),
    successorOf: ({ signInId, generation, secret }) => ({
      signInId,
      generation: generation + 1,
      secret: nextSecret(secret),
    }),
    successorAt: ({ signInId, generation: from, secret }, generation) => ({
      signInId,
      generation,
      secret: secretAfter(generation - from, secret),
    }),
    leadsTo(token, generation, hash) {
      const steps = generation - token.generation
      if (steps < 0 || steps > successorsFollowedMax) return false
      const secret = secretAfter(steps, token.secret)
      return timingSafeEqual(Buffer.from(refreshHashOf(secret)), Buffer.from(hash))
    },
  }
}

export function refreshHashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

const tokenForm = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})\.([\w-]{43})$/

export function parseRefreshToken(text: string | null): RefreshToken | null {
  const match = tokenForm.exec(text ?? '')
  if (!match?.[1] || !match[2] || !match[3]) return null
  return { signInId: match[1], generation: Number(match[2]), secret: match[3] }
}

export function formatRefreshToken({ signInId, generation, secret }: RefreshToken): string {
  return `${signInId}.${generation}.${secret}`
}
