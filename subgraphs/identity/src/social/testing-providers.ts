import { createHash } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

import { interactionPolicy, Provider } from 'oidc-provider'

import type { SocialOptions } from './social.ts'

/** Somebody with an account at a provider. The login is their subject there. */
export interface Elsewhere {
  readonly login: string
  readonly email: string
  readonly isVerified: boolean
}

export interface TestProviders extends AsyncDisposable {
  readonly options: Required<SocialOptions>
  /** Does what a browser and its owner would: opens the address, agrees, and answers where they are sent back to. */
  visit(address: string, person: Elsewhere): Promise<URL>
}

const client = { clientId: 'sluice', clientSecret: 'a secret of forty characters, or nearly so' }
const callback = (name: string) => `http://localhost:4000/auth/${name}/callback`

/** An OpenID provider that stands for Google, and a server that answers as GitHub does, both on loopback. */
export async function openProviders(): Promise<TestProviders> {
  await using opened = new AsyncDisposableStack()
  const people = new Map<string, Elsewhere>()
  const present = { login: '' }
  const google = opened.use(await openGoogle(people, present))
  const github = opened.use(await openGithub(people, present))
  const closing = opened.move()
  return {
    options: {
      google: { ...client, issuer: google.url },
      github: { ...client, url: github.url, apiUrl: `${github.url}/api/v3` },
    },
    async visit(address, person) {
      people.set(person.login, person)
      present.login = person.login
      return followBack(address)
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

async function openGoogle(people: Map<string, Elsewhere>, present: { login: string }) {
  const listening = await listen((request, response) => handle(request, response))
  const policy = interactionPolicy.base()
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }))
  const provider = new Provider(listening.url, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [callback('google')],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    // As Google does: the claims are in the ID token.
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    ttl: { AccessToken: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    cookies: { keys: ['a key of the test'] },
    interactions: { policy, url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => {
      const person = people.get(sub)
      if (!person) return undefined
      const { email, isVerified } = person
      const claims = { sub, email, email_verified: isVerified, name: `${sub} of Google` }
      return { accountId: sub, claims: () => claims }
    },
    async loadExistingGrant({ oidc }) {
      const { Grant } = provider
      const grant = new Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  async function handle(request: IncomingMessage, response: ServerResponse) {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response)
    const result = { login: { accountId: present.login }, select_account: {} }
    return provider.interactionFinished(request, response, result)
  }
  return listening
}

async function openGithub(people: Map<string, Elsewhere>, present: { login: string }) {
  const codes = new Map<string, { login: string; challenge: string }>()
  const answers: Record<string, (request: IncomingMessage, url: URL) => Promise<Reply>> = {
    async '/login/oauth/authorize'(_request, { searchParams }) {
      const code = crypto.randomUUID()
      codes.set(code, { login: present.login, challenge: searchParams.get('code_challenge') ?? '' })
      const to = new URL(searchParams.get('redirect_uri') ?? '')
      to.searchParams.set('code', code)
      to.searchParams.set('state', searchParams.get('state') ?? '')
      return { status: 302, location: to.href }
    },
    async '/login/oauth/access_token'(request) {
      const form = new URLSearchParams(await text(request))
      const code = form.get('code') ?? ''
      const known = codes.get(code)
      codes.delete(code)
      const verifier = form.get('code_verifier') ?? ''
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      const isRight =
        form.get('client_secret') === client.clientSecret && known?.challenge === challenge
      // GitHub says so with 200.
      if (!known || !isRight) return { status: 200, body: { error: 'bad_verification_code' } }
      const token = {
        access_token: known.login,
        token_type: 'bearer',
        scope: 'read:user,user:email',
      }
      return { status: 200, body: token }
    },
    async '/api/v3/user'(request) {
      const { login } = personOf(request)
      return { status: 200, body: { id: idOf(login), login, name: null } }
    },
    async '/api/v3/user/emails'(request) {
      const { email, isVerified } = personOf(request)
      const emails = [
        { email: 'other@example.test', primary: false, verified: true },
        { email, primary: true, verified: isVerified },
      ]
      return { status: 200, body: emails }
    },
  }
  const personOf = ({ headers }: IncomingMessage) => {
    const person = people.get(headers.authorization?.replace('Bearer ', '') ?? '')
    if (!person) throw new Error('nobody has this access token')
    return person
  }
  return listen(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://github.invalid')
    const reply = await answers[url.pathname]?.(request, url)
    const { status, location, body } = reply ?? { status: 404 }
    if (location) response.setHeader('location', location)
    response.setHeader('content-type', 'application/json')
    response.writeHead(status).end(JSON.stringify(body ?? {}))
  })
}

interface Reply {
  readonly status: number
  readonly location?: string
  readonly body?: unknown
}

const idOf = (login: string) => createHash('sha256').update(login).digest().readUInt32BE() + 1

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
) {
  const listener: RequestListener = (request, response) => {
    handler(request, response).catch(() => response.destroy())
  }
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const redirectsMax = 10

async function followBack(address: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = new URL(address)
  for (let hop = 0; hop < redirectsMax; hop += 1) {
    if (url.host === 'localhost:4000') return url
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (!location) throw new Error(`${url.pathname} answers ${response.status} without a redirect`)
    url = new URL(location, url)
  }
  throw new Error('the provider never sends back')
}
