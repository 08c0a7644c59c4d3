import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What ties the answer of an identity provider to the question that we asked. */
export interface SsoTies {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** Kept in a cookie of the browser that leaves for the identity provider, and nowhere else. */
export function newBrowserSecret(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Nonce and PKCE verifier follow from the state, of which we keep a digest, and the secret that only the browser has:
 * neither the database nor the browser alone can finish a sign-in.
 */
export function tiesOf(state: string, browserSecret: string): SsoTies {
  const derive = (what: string) =>
    createHmac('sha256', browserSecret).update(`sso ${what} ${state}`).digest('base64url')
  return { state, nonce: derive('nonce'), codeVerifier: derive('code verifier') }
}

/** The id of the SAML request that belongs to a state: its answer must name it. */
export function requestIdOf(state: string): string {
  return `_${createHash('sha256').update(`sso request ${state}`).digest('hex')}`
}

export function browserHashOf(browserSecret: string): string {
  return createHash('sha256').update(browserSecret).digest('hex')
}

export function isSameBrowser(browserSecret: string | null, browserHash: string): boolean {
  if (browserSecret === null) return false
  return timingSafeEqual(Buffer.from(browserHashOf(browserSecret)), Buffer.from(browserHash))
}
