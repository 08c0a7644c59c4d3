import type { DnsOptions } from '@sluice/kit/dns-proof'
import type { Guard } from '@sluice/kit/guarded-fetch'
import type { Log } from '@sluice/kit/log'

import type { SamlAddresses } from './saml-assertion.ts'

export interface SsoOptions extends DnsOptions {
  /** How identity providers are asked, whose addresses organizations name. */
  readonly guard: Guard
}

/** A sign-in elsewhere that was started has to come back within this. */
export const ssoLifeMs = 10 * 60_000

/** What single sign-on needs of its surroundings, and the addresses that identity providers are told. */
export interface Sso extends SsoOptions {
  /** Hosts of this Sluice server: nobody's email domain. */
  readonly ownApexes: readonly string[]
  /** Registered at the provider. Each connection has its own, so that no answer passes for another provider's. */
  redirectUri(connectionId: string): string
  samlAddresses(connectionId: string): SamlAddresses
  /** The absolute address of a path of the console. */
  addressOf(path: string): string
  readonly cookieName: string
  /** The whole `Set-Cookie` value: with a secret for as long as the provider may take, without one to remove it. */
  cookie(browserSecret: string | null): string
  readonly log: Log
}

export function createSso(
  options: SsoOptions,
  { consoleOrigin, log }: { consoleOrigin: string; log: Log },
): Sso {
  const { origin, protocol, hostname } = new URL(consoleOrigin)
  const isSecure = protocol === 'https:'
  const cookieName = isSecure ? '__Host-sluice_sso' : 'sluice_sso'
  return {
    ...options,
    ownApexes: [hostname],
    redirectUri: (connectionId) => `${origin}/auth/sso/callback/${connectionId}`,
    samlAddresses: (connectionId) => ({
      entityId: `${origin}/auth/saml/metadata/${connectionId}`,
      acsUrl: `${origin}/auth/saml/acs`,
    }),
    addressOf: (path) => new URL(path, origin).href,
    cookieName,
    cookie(browserSecret) {
      const seconds = browserSecret === null ? 0 : ssoLifeMs / 1000
      // Lax, not Strict: it has to come along when the provider sends the browser back.
      return `${cookieName}=${browserSecret ?? ''}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
    },
    log,
  }
}
