import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Provider } from 'oidc-provider'

export const client = { clientId: 'sluice', clientSecret: 'a secret of the test, long enough' }

/** The OpenID provider of a company, at which Grace is signed in whenever somebody comes. */
export async function openOidcProvider(consoleOrigin: string, email: string) {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const grace = { sub: 'grace', email, email_verified: true, name: 'Grace Hopper' }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [`${consoleOrigin}/auth/sso/callback`],
        post_logout_redirect_uris: [`${consoleOrigin}/sign-in`],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    cookies: { keys: ['a key of the test'] },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => grace }),
    async loadExistingGrant({ oidc }) {
      const { Grant } = provider
      const grant = new Grant({ clientId: oidc.client?.clientId ?? '', accountId: grace.sub })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  // Each connection has a path of its own, which is not known yet.
  const { prototype } = provider.Client as unknown as {
    prototype: { redirectUriAllowed(uri: string): boolean }
  }
  prototype.redirectUriAllowed = (uri) => uri.startsWith(`${consoleOrigin}/auth/sso/callback/`)
  const answer = provider.callback()
  async function handle(...[request, response]: Parameters<typeof answer>) {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response)
    return provider.interactionFinished(request, response, { login: { accountId: grace.sub } })
  }
  return {
    issuer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
