import type { Details, ErrorCode } from '@sluice/schema/errors'

import type { AuthVerdict } from './policy/basic-auth.ts'
import { attemptsRetryAfterSeconds, type PasswordChecks } from './policy/password-checks.ts'
import { allowsAddress } from './policy/policy.ts'
import type { Sessions, TunnelSession } from './sessions.ts'
import type { SuspendedHosts } from './suspended-hosts.ts'
import { showsCertificate, type TlsVisit } from './tls/tls-visit.ts'

/** What the edge knows of a request when it asks where to. */
export interface Asked {
  readonly endpointHost: string
  /** Undefined on a listener without TLS. */
  readonly tls: TlsVisit | undefined
  /** It came without TLS, where the relay wants TLS. */
  readonly redirects: boolean
  readonly authorization: string | undefined
  readonly visitorIp: string
  /** What came of a password that had to be computed; undefined when nothing was. */
  readonly verdict?: AuthVerdict | undefined
}

export interface Places {
  readonly sessions: Sessions
  /** Where agents dial: `edge.<apex>`. */
  readonly edgeHost: string
  /** The same for this relay alone, where relays have addresses of their own. */
  readonly ownEdgeHost?: string | undefined
  readonly consoleHost: string | undefined
  readonly suspendedHosts: SuspendedHosts
  readonly passwordChecks: PasswordChecks
  draining(): boolean
}

export type Route =
  | { readonly kind: 'tunnel'; readonly tunnel: TunnelSession }
  | { readonly kind: 'console' }
  | { readonly kind: 'control' }
  /** To the same address over HTTPS. */
  | { readonly kind: 'redirect' }
  /** No session here that takes requests: another relay may have one, and else whether the host is known decides between 503 and 404. */
  | { readonly kind: 'absent' }
  /** The password is being computed: ask again with the verdict. */
  | { readonly kind: 'verify'; readonly verdict: Promise<AuthVerdict> }
  | ({ readonly kind: 'refuse'; readonly tunnel?: TunnelSession } & Refusal)

/** Why a request does not pass. */
export interface Refusal {
  readonly code: ErrorCode
  readonly details?: Details
  /** For metrics and the log, of a closed list; the visitor learns the code alone. */
  readonly reason?: string
}

/** By the tunnel's rules about addresses. */
export const addressDenied: Refusal = { code: 'SLUICE_IP_DENIED', reason: 'address' }

/** Decides, in the order of the design: host known, TLS, visitor certificate, basic auth, address, concurrency, rate, session. Takes nothing but a password attempt. */
export function routeOf(asked: Asked, places: Places): Route {
  const { endpointHost } = asked
  const misdirected = asked.tls !== undefined && asked.tls.serverName !== endpointHost
  const isEdge = endpointHost === places.edgeHost || endpointHost === places.ownEdgeHost
  if (isEdge || endpointHost === places.consoleHost) {
    if (misdirected) return { kind: 'refuse', code: 'SLUICE_TLS_MODE_MISMATCH' }
    if (isEdge) return { kind: 'control' }
    return asked.redirects ? { kind: 'redirect' } : { kind: 'console' }
  }
  if (places.suspendedHosts.has(endpointHost)) {
    const details = { endpointHost }
    return { kind: 'refuse', code: 'SLUICE_HOST_SUSPENDED', details, reason: 'suspended' }
  }
  const tunnel = places.sessions.find(endpointHost)
  // Its agent may have a session on another relay by now.
  if (!tunnel || tunnel.moved || !tunnel.session.accepting) return { kind: 'absent' }
  if (asked.redirects) return { kind: 'redirect' }
  if (misdirected || tunnel.claims.kind !== 'http') {
    return { kind: 'refuse', code: 'SLUICE_TLS_MODE_MISMATCH', tunnel }
  }
  if (!showsCertificate(tunnel.claims.policy, asked.tls)) {
    const code = 'SLUICE_VISITOR_CERTIFICATE_REQUIRED'
    return { kind: 'refuse', tunnel, code, reason: 'certificate' }
  }
  const { basicAuth } = tunnel.policy ?? {}
  if (basicAuth) {
    const { authorization = '', visitorIp } = asked
    const verdict =
      asked.verdict ?? basicAuth.check(authorization, visitorIp, places.passwordChecks)
    if (typeof verdict !== 'string') return { kind: 'verify', verdict }
    const refusal = authRefusal(verdict, authorization)
    if (refusal) return { kind: 'refuse', tunnel, ...refusal }
  }
  const refusal = refusalOf(asked, tunnel)
  return refusal ? { kind: 'refuse', tunnel, ...refusal } : { kind: 'tunnel', tunnel }
}

function authRefusal(verdict: AuthVerdict, authorization: string): Refusal | undefined {
  if (verdict === 'passes') return undefined
  if (verdict === 'limited') {
    const details = { retryAfterSeconds: attemptsRetryAfterSeconds }
    return { code: 'SLUICE_RATE_LIMITED', details, reason: 'attempts' }
  }
  const reason = authorization === '' ? 'no_credentials' : 'wrong_credentials'
  return { code: 'SLUICE_BASIC_AUTH_REQUIRED', reason }
}

/** What the tunnel's policy and state say to one request behind its credentials. */
function refusalOf(
  { visitorIp }: Pick<Asked, 'visitorIp'>,
  tunnel: TunnelSession,
): Refusal | undefined {
  const { policy, limits } = tunnel
  if (!allowsAddress(policy, visitorIp)) return addressDenied
  if (tunnel.full) return { code: 'SLUICE_CONNECTIONS_MAX', reason: 'connections' }
  const rate = limits.rate?.refusal()
  return rate && { code: 'SLUICE_REQUESTS_MAX', details: { ...rate }, reason: 'rate' }
}
