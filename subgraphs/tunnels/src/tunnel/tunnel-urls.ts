import type { PublicTunnelUrls } from '../context.ts'
import type { Relay } from '../relay/relay.entity.ts'
import type { Tunnel } from './tunnel.entity.ts'

/** Where tunnels are on one machine, before any relay or operator has said so. */
const defaultPublicHttpUrl = 'http://tunnel.localhost:8080'

/** The host that visitors use for a tunnel of this name. */
export function endpointHostOf(
  name: string,
  relays: readonly Relay[],
  configured: PublicTunnelUrls,
): string {
  return `${name}.${publicUrlsOf(newestOf(relays), configured)[0].hostname}`
}

/** The public addresses of a tunnel: by the relay of its last start, else the newest relay. */
export function urlsOf(
  tunnel: Tunnel,
  relays: readonly Relay[],
  configured: PublicTunnelUrls,
): string[] {
  const relay = relays.find(({ id }) => id === tunnel.relayId) ?? newestOf(relays)
  const { kind, port: tunnelPort, endpointHost } = tunnel
  if (kind === 'tcp' || kind === 'udp') {
    return [`${kind}://${portHostOf(endpointHost)}:${tunnelPort}`]
  }
  if (kind === 'tls') {
    const tlsPort = configured.https === undefined ? '' : new URL(configured.https).port
    return [`tls://${endpointHost}:${tlsPort === '' ? 443 : tlsPort}`]
  }
  return publicUrlsOf(relay, configured).map(
    ({ protocol, port }) => `${protocol}//${tunnel.endpointHost}${port === '' ? '' : `:${port}`}`,
  )
}

/** A port is found under any name of the relay. Browsers resolve what ends in `.localhost`; other programs often do not. */
function portHostOf(endpointHost: string): string {
  return endpointHost.endsWith('.localhost') ? 'localhost' : endpointHost
}

function publicUrlsOf(relay: Relay | null, configured: PublicTunnelUrls): [URL, ...URL[]] {
  const first = new URL(configured.http ?? relay?.publicHttpUrl ?? defaultPublicHttpUrl)
  return configured.https === undefined ? [first] : [first, new URL(configured.https)]
}

function newestOf(relays: readonly Relay[]): Relay | null {
  return relays.toSorted((a, b) => Number(b.lastSeenAt) - Number(a.lastSeenAt))[0] ?? null
}
