import { createHmac, randomBytes } from 'node:crypto'

import type { Log } from '@sluice/kit/log'
import { SluiceError } from '@sluice/schema/errors'

import { createGithub, type GithubOptions } from './github.ts'
import { createGoogle, type GoogleOptions } from './google.ts'
import type { SocialProvider, SocialTies } from './provider.ts'
import type { SocialProviderName } from './social-link.entity.ts'

export interface SocialOptions {
  readonly google?: GoogleOptions | null
  readonly github?: GithubOptions | null
}

/** A sign-in elsewhere that was started has to come back within this. */
export const socialLifeMs = 10 * 60_000

/** The providers that are set up, and the cookie that ties what comes back to the browser that left. */
export interface Social {
  readonly names: readonly SocialProviderName[]
  /** Throws SLUICE_SOCIAL_OFF for one that is not set up. */
  provider(name: SocialProviderName): SocialProvider
  /** Where a provider sends the browser back to: registered there, so it must not change. */
  redirectUri(name: SocialProviderName): string
  readonly cookieName: string
  /** The whole `Set-Cookie` value: with a secret for as long as the provider may take, without one to remove it. */
  cookie(browserSecret: string | null): string
  readonly log: Log
}

export function createSocial(
  { google, github }: SocialOptions,
  { consoleOrigin, now, log }: { consoleOrigin: string; now: () => Date; log: Log },
): Social {
  const providers = new Map<SocialProviderName, SocialProvider>()
  if (google) providers.set('google', createGoogle(google, now))
  if (github) providers.set('github', createGithub(github))
  const { origin, protocol } = new URL(consoleOrigin)
  const isSecure = protocol === 'https:'
  const cookieName = isSecure ? '__Host-sluice_social' : 'sluice_social'
  return {
    names: [...providers.keys()],
    provider(name) {
      const found = providers.get(name)
      if (!found) throw new SluiceError('SLUICE_SOCIAL_OFF')
      return found
    },
    redirectUri: (name) => `${origin}/auth/${name}/callback`,
    cookieName,
    cookie(browserSecret) {
      const seconds = browserSecret === null ? 0 : socialLifeMs / 1000
      // Lax, not Strict: it has to come along when the provider sends the browser back.
      return `${cookieName}=${browserSecret ?? ''}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
    },
    log,
  }
}

export function newBrowserSecret(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Nonce and PKCE verifier of an attempt. They follow from the state, of which we keep a digest, and the secret that only
 * the browser has: neither the database nor the browser alone can finish an attempt.
 */
export function tiesOf(state: string, browserSecret: string): SocialTies {
  const derive = (what: string) =>
    createHmac('sha256', browserSecret).update(`${what} ${state}`).digest('base64url')
  return { state, nonce: derive('nonce'), codeVerifier: derive('code verifier') }
}
