import type { AgentTokenClaims } from '@sluice/schema/claims'

/** Of a token in the second of the revocation: the tunnel may have been stopped and started again, an authtoken is gone for good. */
export function isOlder(claims: AgentTokenClaims, id: string, atMs: number): boolean {
  const started = claims.tunnelId === id && Math.floor(atMs / 1000) === claims.iat
  return !started && isRevoked(claims, id, atMs)
}

/** `iat` counts whole seconds: a token of the same second as its revocation is taken for older. */
export function isRevoked(claims: AgentTokenClaims, id: string, atMs: number): boolean {
  const { tunnelId, sub, jti, organizationId } = claims
  const named = [tunnelId, sub, jti, organizationId].includes(id)
  return named && claims.iat * 1000 <= atMs
}
