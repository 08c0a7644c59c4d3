import { allowsAddress } from '../policy/policy.ts'
import { addressDenied, type Refusal } from '../route.ts'
import type { TunnelSession } from '../sessions.ts'

/** What the tunnel's policy and state say to a connection that has no credentials to show: address, concurrency, rate, session. */
export function rawRefusalOf(
  tunnel: TunnelSession,
  visitorIp: string,
  draining: boolean,
): Refusal | undefined {
  const { policy, limits, session } = tunnel
  if (!allowsAddress(policy, visitorIp)) return addressDenied
  if (tunnel.full) return { code: 'SLUICE_CONNECTIONS_MAX', reason: 'connections' }
  if (limits.rate?.refusal()) return { code: 'SLUICE_REQUESTS_MAX', reason: 'rate' }
  if (draining) return { code: 'SLUICE_RELAY_DRAINING' }
  return session.accepting ? undefined : { code: 'SLUICE_TUNNEL_OFFLINE' }
}
