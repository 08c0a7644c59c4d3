import { authenticationCachedMs, type AgentTokenClaims } from '@sluice/schema/claims'

/** Of a token in the second of the revocation: the tunnel may have been stopped and started again, an authtoken is gone for good. */
function isOlder(claims: AgentTokenClaims, id: string, atMs: number): boolean {
  const started = claims.tunnelId === id && Math.floor(atMs / 1000) === claims.iat
  return !started && isRevoked(claims, id, atMs)
}

/**
 * `iat` counts whole seconds: a token of the same second as its revocation is taken for older. So is one that a gateway
 * may have got on the strength of what it still remembered of a credential.
 */
export function isRevoked(claims: AgentTokenClaims, id: string, atMs: number): boolean {
  // Who stops a tunnel also issues its tokens, and remembers nothing.
  const rememberedMs = id === claims.tunnelId ? 0 : authenticationCachedMs
  return isNamed(claims, id) && claims.iat * 1000 <= atMs + rememberedMs
}

/** The last is the membership of a person who has started the tunnel by their sign-in: `<organizationId>:<userId>`. */
function isNamed({ tunnelId, sub, jti, organizationId }: AgentTokenClaims, id: string): boolean {
  return (
    id === tunnelId ||
    id === sub ||
    id === jti ||
    id === organizationId ||
    (id.endsWith(sub) && id === `${organizationId}:${sub}`)
  )
}

/** Tokens issued before a revocation stay refused this long; by then they have expired by themselves. */
export const revocationKeptMs = 900_000
const revocationsMax = 10_000

/** What was revoked lately. */
export class Revoked {
  readonly #keptMs: number
  readonly #credentials = new Map<string, number>()
  /** By themselves: a group that gets a role changes thousands, which must not crowd out what is void for good. */
  readonly #memberships = new Map<string, number>()

  constructor(outageMs: number) {
    this.#keptMs = revocationKeptMs + outageMs
  }

  remember(id: string, atMs: number): void {
    const known = id.includes(':') ? this.#memberships : this.#credentials
    known.delete(id)
    known.set(id, atMs)
    for (const [oldest, since] of known) {
      if (known.size <= revocationsMax && Date.now() - since < this.#keptMs) break
      known.delete(oldest)
    }
  }

  /** Whether a token is older than a revocation of anything it stands on. */
  concerns(claims: AgentTokenClaims): boolean {
    const { tunnelId, sub, jti, organizationId } = claims
    return [tunnelId, sub, jti, organizationId, `${organizationId}:${sub}`].some((id) => {
      const atMs = this.#credentials.get(id) ?? this.#memberships.get(id)
      return atMs !== undefined && isOlder(claims, id, atMs)
    })
  }
}
