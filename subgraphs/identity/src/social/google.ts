import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type Configuration,
  ClientSecretPost,
  allowInsecureRequests,
  discovery,
  enableNonRepudiationChecks,
} from 'openid-client'

import { isLoopback } from './loopback.ts'
import { providerTimeoutSeconds, type SocialProvider } from './provider.ts'

export interface GoogleOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** `https://accounts.google.com`, or another OpenID provider that behaves like it. */
  readonly issuer: string
}

/** Its keys rotate by themselves; what else it publishes is read again after this. */
const discoveryLifeMs = 24 * 60 * 60_000

/** Google by OpenID Connect: what it says is signed for us, and answers the nonce of this browser. */
export function createGoogle(options: GoogleOptions, now: () => Date): SocialProvider {
  const { clientId, clientSecret, issuer } = options
  let known: { configuration: Configuration; readAtMs: number } | null = null

  async function configurationOf(): Promise<Configuration> {
    const nowMs = now().getTime()
    if (known && nowMs - known.readAtMs < discoveryLifeMs) return known.configuration
    const configuration = await discovery(
      new URL(issuer),
      clientId,
      undefined,
      ClientSecretPost(clientSecret),
      {
        timeout: providerTimeoutSeconds,
        // The signature is checked as well, though the code is traded over TLS.
        execute: [
          enableNonRepudiationChecks,
          ...(isLoopback(issuer) ? [allowInsecureRequests] : []),
        ],
      },
    )
    known = { configuration, readAtMs: nowMs }
    return configuration
  }

  return {
    name: 'google',
    async addressFor(redirectUri, { state, nonce, codeVerifier }) {
      return buildAuthorizationUrl(await configurationOf(), {
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        prompt: 'select_account',
      })
    },
    async identityOf(callback, { state, nonce, codeVerifier }) {
      const answer = await authorizationCodeGrant(await configurationOf(), callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      })
      const claims = answer.claims()
      if (!claims) throw new Error('the answer has no ID token')
      const { iss, sub, email, email_verified: isVerified, name } = claims
      return {
        issuer: iss,
        subject: sub,
        verifiedEmail: isVerified === true && typeof email === 'string' ? email : null,
        name: typeof name === 'string' ? name : null,
      }
    },
  }
}
