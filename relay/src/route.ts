import type { ErrorCode } from '@sluice/schema/errors'

import { allowsAddress, passesBasicAuth } from './policy.ts'
import type { Sessions, TunnelSession } from './sessions.ts'

/** What the edge knows of a request when it asks where to. */
export interface Asked {
  readonly endpointHost: string
  /** The TLS server name; undefined on a listener without TLS. */
  readonly serverName: string | undefined
  readonly tls: boolean
  readonly authorization: string | undefined
  readonly visitorIp: string
}

export interface Places {
  readonly sessions: Sessions
  /** Where agents dial: `edge.<apex>`. */
  readonly edgeHost: string
  readonly consoleHost: string | undefined
  draining(): boolean
}

export type Route =
  | { readonly kind: 'tunnel'; readonly tunnel: TunnelSession }
  | { readonly kind: 'console' }
  | { readonly kind: 'control' }
  /** No session here: whether the host is known decides between 503 and 404. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'refuse'; readonly code: ErrorCode; readonly tunnel?: TunnelSession }

/** Decides, in the order of the design: host known, TLS, basic auth, address, concurrency, session. Does nothing. */
export function routeOf(asked: Asked, places: Places): Route {
  const { endpointHost } = asked
  const misdirected = asked.tls && asked.serverName !== endpointHost
  if (endpointHost === places.edgeHost || endpointHost === places.consoleHost) {
    if (misdirected) return { kind: 'refuse', code: 'SLUICE_TLS_MODE_MISMATCH' }
    return endpointHost === places.edgeHost ? { kind: 'control' } : { kind: 'console' }
  }
  const tunnel = places.sessions.find(endpointHost)
  if (!tunnel) return { kind: 'absent' }
  if (misdirected) return { kind: 'refuse', code: 'SLUICE_TLS_MODE_MISMATCH', tunnel }
  const code = refusalOf(asked, tunnel, places)
  return code ? { kind: 'refuse', code, tunnel } : { kind: 'tunnel', tunnel }
}

/** What the tunnel's policy and state say to one request. */
function refusalOf(
  { authorization, visitorIp }: Pick<Asked, 'authorization' | 'visitorIp'>,
  tunnel: TunnelSession,
  { draining }: Pick<Places, 'draining'>,
): ErrorCode | undefined {
  const { policy } = tunnel
  if (policy) {
    if (!passesBasicAuth(policy, authorization ?? '')) return 'SLUICE_BASIC_AUTH_REQUIRED'
    if (!allowsAddress(policy, visitorIp)) return 'SLUICE_IP_DENIED'
  }
  if (tunnel.active >= tunnel.claims.maxConcurrentConns) return 'SLUICE_CONNECTIONS_MAX'
  if (draining()) return 'SLUICE_RELAY_DRAINING'
  return tunnel.session.accepting ? undefined : 'SLUICE_TUNNEL_OFFLINE'
}
