import { guardedFetch, type Guard } from '@sluice/kit/guarded-fetch'
import { SluiceError } from '@sluice/schema/errors'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  type ClientAuth,
  type Configuration,
  type CustomFetch,
} from 'openid-client'

import { attributesOf, valuesOf, type Attribute, type SsoPerson } from './sso-person.ts'
import type { SsoTies } from './ties.ts'

export interface OidcClient {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

const timeoutSeconds = 10
/** Discovery documents, key sets and tokens are some kilobytes. */
const answerBytesMax = 256 * 1024
/** These say nothing of a person, or are asked for by name. */
const protocolClaims = new Set(
  'iss sub aud exp iat nbf nonce auth_time acr amr azp at_hash c_hash sid jti'.split(' '),
)

/** Reads what an OpenID provider says of itself. Throws SLUICE_SSO_ISSUER_INVALID, or an error of `guardedFetch`. */
export async function discoverOidc(client: OidcClient, guard: Guard): Promise<Configuration> {
  try {
    const configuration = await discovery(
      new URL(client.issuer),
      client.clientId,
      undefined,
      authenticationOf(client.clientSecret),
      {
        timeout: timeoutSeconds,
        [customFetch]: fetchGuarded(guard),
        // The signature is checked as well, though the code is traded over TLS.
        execute: [
          enableNonRepudiationChecks,
          ...(guard.allowPrivate ? [allowInsecureRequests] : []),
        ],
      },
    )
    assertBrowserAddress(configuration.serverMetadata().authorization_endpoint)
    return configuration
  } catch (error) {
    throw (
      knownFailure(error) ??
      new SluiceError(
        'SLUICE_SSO_ISSUER_INVALID',
        { reason: 'its discovery document is missing, or names another issuer' },
        { cause: error },
      )
    )
  }
}

/** Where to send the browser. */
export async function oidcSignInUrl(
  client: OidcClient,
  guard: Guard,
  options: { redirectUri: string; ties: SsoTies; loginHint: string | null },
): Promise<string> {
  const { state, nonce, codeVerifier } = options.ties
  const address = buildAuthorizationUrl(await discoverOidc(client, guard), {
    redirect_uri: options.redirectUri,
    response_type: 'code',
    scope: 'openid email profile',
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(options.loginHint === null ? {} : { login_hint: options.loginHint }),
  })
  return address.href
}

/** Trades the code that the browser brought for the person. Throws for an answer that is not to this question. */
export async function oidcPerson(
  client: OidcClient,
  guard: Guard,
  options: { callback: URL; ties: SsoTies; roleAttribute: string | null },
): Promise<SsoPerson> {
  const { callback, ties, roleAttribute } = options
  const configuration = await discoverOidc(client, guard)
  const answer = await authorizationCodeGrant(configuration, callback, {
    expectedState: ties.state,
    expectedNonce: ties.nonce,
    pkceCodeVerifier: ties.codeVerifier,
    idTokenExpected: true,
  }).catch((error: unknown) => {
    throw knownFailure(error) ?? error
  })
  const signed = answer.claims()
  if (!signed) throw new Error('the answer has no ID token')

  const { end_session_endpoint: signOutUrl, userinfo_endpoint: more } =
    configuration.serverMetadata()
  const isWhole = signed['email'] !== undefined && (!roleAttribute || roleAttribute in signed)
  const told =
    isWhole || !more
      ? {}
      : await fetchUserInfo(configuration, answer.access_token, signed.sub).catch(
          (error: unknown) => {
            throw knownFailure(error) ?? error
          },
        )
  // What is signed comes last, and so wins.
  const claims: Record<string, unknown> = { ...told, ...signed }
  const { email, name } = claims
  return {
    issuer: signed.iss,
    subject: signed.sub,
    email: typeof email === 'string' ? email : null,
    isEmailDenied: isEmailDenied(claims),
    name: typeof name === 'string' ? name : null,
    roleValues: roleAttribute ? valuesOf(claimOf(claims, roleAttribute)) : [],
    attributes: attributesOf(claimAttributes(claims)),
    session: {
      kind: 'OIDC',
      idToken: answer.id_token ?? '',
      signOutUrl: signOutUrl && isWebAddress(signOutUrl) ? signOutUrl : null,
    },
    sessionEndsAt: null,
  }
}

const google = 'https://accounts.google.com'

/**
 * Whether the provider itself does not vouch for the address. Google speaks for everybody: without `hd` it is an account that
 * somebody made for themselves with an address of the company, and keeps when they leave.
 */
export function isEmailDenied(claims: Record<string, unknown>): boolean {
  const { iss, hd, email_verified: isVerified } = claims
  if (isVerified === false || isVerified === 'false') return true
  return iss === google && (typeof hd !== 'string' || hd === '')
}

/** Where to sign out at the provider (OpenID Connect RP-Initiated Logout 1.0); null when it has no such place. */
export function oidcSignOutUrl(
  clientId: string,
  session: { idToken: string; signOutUrl: string | null },
  returnTo: string,
): string | null {
  if (session.signOutUrl === null) return null
  const address = new URL(session.signOutUrl)
  address.searchParams.set('id_token_hint', session.idToken)
  address.searchParams.set('client_id', clientId)
  address.searchParams.set('post_logout_redirect_uri', returnTo)
  return address.href
}

/** `groups`, or a path such as `realm_access.roles` where no claim has that name as a whole. */
function claimOf(claims: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      claims,
    )
}

function claimAttributes(claims: Record<string, unknown>): Attribute[] {
  return Object.entries(claims)
    .filter(([name]) => !protocolClaims.has(name))
    .map(([name, value]) => ({ name, values: valuesOf(value) }))
}

/** Both ways of sending the secret are common; a provider that does not say takes `client_secret_basic` (Discovery §3). */
function authenticationOf(secret: string): ClientAuth {
  const post = ClientSecretPost(secret)
  const basic = ClientSecretBasic(secret)
  return (server, client, body, headers) => {
    const takesPost = server.token_endpoint_auth_methods_supported?.includes('client_secret_post')
    return (takesPost ? post : basic)(server, client, body, headers)
  }
}

function fetchGuarded(guard: Guard): CustomFetch {
  return (url, { method, headers, body, signal }) =>
    guardedFetch(
      url,
      {
        method,
        headers,
        timeoutMs: timeoutSeconds * 1000,
        bytesMax: answerBytesMax,
        ...(body === undefined || body === null ? {} : { body: bodyOf(body) }),
        ...(signal ? { signal } : {}),
      },
      guard,
    )
}

function bodyOf(body: unknown): string | Uint8Array {
  if (body instanceof Uint8Array) return body
  if (body instanceof URLSearchParams || typeof body === 'string') return body.toString()
  throw new TypeError('a body of this kind is never sent')
}

/** The library wraps what its `fetch` throws. */
function knownFailure(error: unknown): SluiceError | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof SluiceError) return one
  }
  return null
}

function assertBrowserAddress(address: string | undefined): void {
  if (address === undefined || !isWebAddress(address)) {
    throw new Error('the provider has no address to sign in at')
  }
}

/** A browser is sent there: nothing but a web address will do. */
export function isWebAddress(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:')
}
