import { internalHeader, requestIdHeader, type InternalSigner } from '@sluice/kit/internal-token'
import { gatewayPrincipal, Principal } from '@sluice/kit/principal'
import { isErrorCode, SluiceError, type Details } from '@sluice/schema/errors'
import { Revocation } from '@sluice/schema/redis'
import { z } from 'zod'

import { PoolError, type HttpPool } from './http-pool.ts'

/** What identity says of a credential. */
export interface Authenticated {
  readonly principal: Principal
  /** When the credential itself ends, in ms since 1970; null when it does not. */
  readonly expiresAtMs: number | null
}

export type CredentialKind = 'sign-in' | 'authtoken' | 'api-key'

export interface Identity {
  /** Throws a SluiceError: the catalogue's reason, or SLUICE_SUBGRAPH_UNAVAILABLE when identity does not say. */
  authenticate(kind: CredentialKind, token: string, ip: string): Promise<Authenticated>
  /** What was revoked since then, the latest first. Our own key is renewed if identity says that it should be. */
  revocations(since: Date): Promise<Revocation[]>
  /** The public keys as identity publishes them, kept for a while and shown further while identity is away. */
  jwks(): Promise<string>
}

const Answer = z.object({
  principal: Principal,
  expiresAt: z.iso.datetime().nullable(),
})
const RevokedAnswer = z.object({
  revocations: z.array(Revocation),
  /** When staff last asked gateways for other keys of their own. */
  keysAskedAt: z.iso.datetime().nullish(),
})
const Jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) })

export function createIdentity(options: {
  pool: HttpPool
  signer: InternalSigner
  jwksCachedMs: number
  now: () => number
}): Identity {
  const { pool, signer, now } = options
  let jwks: { text: string; readAtMs: number } | null = null

  async function ask(path: string, question: unknown): Promise<unknown> {
    const answer = await pool
      .post(path, JSON.stringify(question), {
        headers: {
          'content-type': 'application/json',
          [internalHeader]: await signer.headerFor(gatewayPrincipal, 'identity'),
          [requestIdHeader]: crypto.randomUUID(),
        },
        repeatable: true,
      })
      .catch(away)
    const content = parseJson(answer.text)
    if (answer.status !== 200) throw refusalOf(answer.status, content)
    return content
  }

  return {
    async authenticate(kind, token, ip) {
      const answer = await ask('/internal/authenticate', { credential: { kind, token }, ip })
      const { principal, expiresAt } = Answer.parse(answer)
      return { principal, expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt) }
    },

    async revocations(since) {
      const answer = await ask('/internal/revocations', { since: since.toISOString() }).catch(
        (error: unknown) => {
          // Nothing but our own header is looked at there.
          if (error instanceof SluiceError && error.code === 'SLUICE_UNAUTHENTICATED') {
            signer.renewRefused()
          }
          throw error
        },
      )
      const { revocations, keysAskedAt } = RevokedAnswer.parse(answer)
      if (keysAskedAt) signer.renewAskedAt(new Date(keysAskedAt))
      return revocations
    },

    async jwks() {
      if (jwks && now() - jwks.readAtMs < options.jwksCachedMs) return jwks.text
      try {
        const { status, text } = await pool.get('/.well-known/jwks.json')
        if (status !== 200) throw new PoolError('unreachable')
        jwks = { text: JSON.stringify(Jwks.parse(parseJson(text))), readAtMs: now() }
        return jwks.text
      } catch (error) {
        // Keys change rarely, and both of a rotation are published: an old answer is better than none.
        if (jwks) return jwks.text
        throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE', {}, { cause: error })
      }
    },
  }
}

function away(error: unknown): never {
  throw new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE', {}, { cause: error })
}

/** A problem of identity about the credential is the caller's; about our own header it is an outage. */
function refusalOf(status: number, content: unknown): SluiceError {
  const { code, ...rest } = (content ?? {}) as Record<string, unknown>
  if (status >= 500 || !isErrorCode(code)) return new SluiceError('SLUICE_SUBGRAPH_UNAVAILABLE')
  const details = Object.entries(rest).filter((entry): entry is [string, Details[string]] =>
    ['string', 'number', 'boolean'].includes(typeof entry[1]),
  )
  return new SluiceError(code, Object.fromEntries(details))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
