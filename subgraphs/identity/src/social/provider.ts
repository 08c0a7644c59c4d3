import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'
import { AuthorizationResponseError } from 'openid-client'

import type { SocialProviderName } from './social-link.entity.ts'

/** How long a provider may take to answer. */
export const providerTimeoutSeconds = 10

/** Whom a provider says that somebody is. */
export interface SocialIdentity {
  /** With `subject`, who it is. Nothing else is. */
  readonly issuer: string
  readonly subject: string
  /** The address that the provider has seen them read; null when there is none. */
  readonly verifiedEmail: string | null
  readonly name: string | null
}

/** What ties the answer of a provider to the question: state, nonce and PKCE verifier. */
export interface SocialTies {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export interface SocialProvider {
  readonly name: SocialProviderName
  /** Where to send the browser. */
  addressFor(redirectUri: string, ties: SocialTies): Promise<URL>
  /** Trades the code of the callback for the identity. Throws for an answer that is not to this question. */
  identityOf(callback: URL, ties: SocialTies): Promise<SocialIdentity>
}

/** Says what went wrong at a provider. Its own words are for the log: they come through the browser. */
export function socialFailure(name: SocialProviderName, error: unknown, log: Log): SluiceError {
  if (error instanceof SluiceError) return error
  if (error instanceof AuthorizationResponseError && error.error === 'access_denied') {
    return new SluiceError('SLUICE_SOCIAL_DECLINED', {}, { cause: error })
  }
  log.warn({ err: error, provider: name }, 'signing in through a provider failed')
  const code = isAway(error) ? 'SLUICE_SOCIAL_UNREACHABLE' : 'SLUICE_SOCIAL_FAILED'
  return new SluiceError(code, {}, { cause: error })
}

/** `fetch` fails with a TypeError or a DOMException of time; everything else is an answer that was not good. */
function isAway(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one.name === 'TimeoutError' || one.message === 'fetch failed') return true
  }
  return false
}
