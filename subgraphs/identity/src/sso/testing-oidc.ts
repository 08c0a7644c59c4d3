import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Provider } from 'oidc-provider'

/** Somebody at the identity provider: their subject there, and what else it tells of them. */
export interface Colleague {
  readonly sub: string
  readonly email: string
  readonly [claim: string]: unknown
}

export const oidcClient = { clientId: 'sluice', clientSecret: 'a client secret that is a canary' }

const redirectsMax = 10

/** An OpenID provider of a company, on loopback. `console` is where it sends people back to. */
export async function openOidcProvider(console = 'http://localhost:4000') {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const people = new Map<string, Colleague>()
  let present = ''

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: oidcClient.clientId,
        client_secret: oidcClient.clientSecret,
        redirect_uris: [`${console}/auth/sso/callback`],
        post_logout_redirect_uris: [`${console}/sign-in`],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'groups'],
    },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    ttl: { AccessToken: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    cookies: { keys: ['a key of the test'] },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ ...people.get(sub), sub }),
    }),
    async loadExistingGrant({ oidc }) {
      const { Grant } = provider
      const { client, session } = oidc
      const grant = new Grant({
        clientId: client?.clientId ?? '',
        accountId: session?.accountId ?? '',
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  // A path of its own for each connection: which ones there will be is not known here.
  const { prototype } = provider.Client as unknown as {
    prototype: { redirectUriAllowed(uri: string): boolean }
  }
  prototype.redirectUriAllowed = (uri) => uri.startsWith(`${console}/auth/sso/callback/`)
  const answer = provider.callback()

  async function handle(...[request, response]: Parameters<typeof answer>) {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response)
    return provider.interactionFinished(request, response, { login: { accountId: present } })
  }

  return {
    issuer,
    /** Signs somebody in whenever the next browser comes. */
    expect(person: Colleague) {
      people.set(person.sub, person)
      present = person.sub
    },
    /** Does what a browser and its owner would: opens the address, agrees, and answers where they are sent back to. */
    async visit(address: string, person: Colleague): Promise<URL> {
      this.expect(person)
      const cookies = new Map<string, string>()
      let url = new URL(address)
      for (let hop = 0; hop < redirectsMax; hop += 1) {
        if (url.origin === console) return url
        const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ')
        const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
          cookies.set(name, value)
        }
        const location = response.headers.get('location')
        if (!location) throw new Error(`${url.pathname} answers ${response.status}`)
        url = new URL(location, url)
      }
      throw new Error('the provider never sends back')
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type TestOidcProvider = Awaited<ReturnType<typeof openOidcProvider>>
