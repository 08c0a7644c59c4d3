import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretPost,
  Configuration,
  fetchProtectedResource,
} from 'openid-client'
import { z } from 'zod'

import { isLoopback } from './loopback.ts'
import { providerTimeoutSeconds, type SocialProvider } from './provider.ts'

export interface GithubOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** `https://github.com`, or a GitHub Enterprise Server. */
  readonly url: string
  /** `https://api.github.com`; of an Enterprise Server `https://HOST/api/v3`. */
  readonly apiUrl: string
}

const Profile = z.object({
  id: z.number().int().positive(),
  name: z.string().nullish(),
  login: z.string(),
})
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))
const accept = new Headers({ accept: 'application/vnd.github+json', 'user-agent': 'sluice' })

/** GitHub by OAuth 2: it says who holds the access token when asked with it, and the token is then forgotten. */
export function createGithub({
  clientId,
  clientSecret,
  url,
  apiUrl,
}: GithubOptions): SocialProvider {
  const issuer = new URL(url).origin
  const configuration = new Configuration(
    {
      issuer,
      authorization_endpoint: `${url}/login/oauth/authorize`,
      token_endpoint: `${url}/login/oauth/access_token`,
    },
    clientId,
    undefined,
    ClientSecretPost(clientSecret),
  )
  configuration.timeout = providerTimeoutSeconds
  if (isLoopback(url)) allowInsecureRequests(configuration)

  async function ask(accessToken: string, path: string): Promise<unknown> {
    const address = new URL(`${apiUrl}${path}`)
    const response = await fetchProtectedResource(
      configuration,
      accessToken,
      address,
      'GET',
      null,
      accept,
    )
    if (!response.ok) throw new Error(`GitHub answers ${path} with ${response.status}`)
    return response.json()
  }

  return {
    name: 'github',
    async addressFor(redirectUri, { state, codeVerifier }) {
      return buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'read:user user:email',
        state,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        prompt: 'select_account',
      })
    },
    async identityOf(callback, { state, codeVerifier }) {
      const { access_token: accessToken } = await authorizationCodeGrant(configuration, callback, {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
      })
      const { id, name, login } = Profile.parse(await ask(accessToken, '/user'))
      const emails = Emails.parse(await ask(accessToken, '/user/emails'))
      return {
        issuer,
        // Names of accounts are given away again; the number is not.
        subject: String(id),
        verifiedEmail: emails.find(({ primary, verified }) => primary && verified)?.email ?? null,
        name: name || login,
      }
    },
  }
}
