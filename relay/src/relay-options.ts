import type { Log } from '@sluice/kit/log'
import type { DirectSockets } from '@sluice/wire'
import type { JSONWebKeySet } from 'jose'

import type { H2Limits } from './h2/h2-limits.ts'
import type { PeerOptions } from './peer/peer-side.ts'
import type { PaypalOptions } from './policy/webhook/paypal.ts'
import type { PortRange } from './raw/raw-edge.ts'
import type { TlsOptions } from './tls/open-tls.ts'

export interface RelayOptions extends Pick<
  TlsOptions,
  'certificate' | 'certificatesDirectory' | 'selfSigned' | 'tlsLimits'
> {
  readonly relayId: string
  readonly region: string
  /** One of the pools that the operator sends agents to. */
  readonly pool?: string
  /** Tunnels are one label under it; `edge.<apex>` is where agents dial. */
  readonly apex: string
  /** Address to bind. */
  readonly host: string
  readonly httpPort: number
  /** Undefined: no listener with TLS. */
  readonly httpsPort: number | undefined
  readonly adminPort: number
  /** Shares the public ports with other processes of this machine. */
  readonly reusePort?: boolean
  /** Public ports of `tcp` and `udp` tunnels. Undefined: none of the kind here. */
  readonly tcpPorts?: PortRange | undefined
  readonly udpPorts?: PortRange | undefined
  /** How long such a port stays open for an agent that was lost. */
  readonly portKeptMs?: number
  /** The public port for HTTPS that plain HTTP is redirected to. Undefined: both are served. */
  readonly redirectPort?: number
  /** Where the keys of agent tokens are, or the keys themselves. */
  readonly jwks: string | JSONWebKeySet
  /** Undefined: nothing is observed, and revocation is by expiry of agent tokens. */
  readonly redisUrl?: string
  /** Undefined: the relay does not register. */
  readonly registration?: {
    readonly gatewayUrl: string
    readonly relayKey: string
    readonly edgeUrl: string
    readonly publicHttpUrl: string
    /** Staff has ordered the relay to leave: whoever owns the process is to close it. */
    readonly onDrainOrdered?: () => void
    readonly heartbeatMs?: number
    readonly retryFirstMs?: number
  }
  /** How PayPal's signatures are checked; without it, by the certificates that PayPal publishes. */
  readonly paypal?: PaypalOptions
  /** How long sessions outlive their agent tokens while the control plane is away; 0: not at all. */
  readonly outageMs: number
  /** How long they may take to renew once it is back. */
  readonly renewWithinMs?: number
  /** Serves this host from the gateway. */
  readonly console?: { readonly host: string; readonly gatewayUrl: string }
  /** Brings visitors to tunnels of other relays, and theirs to ours. Undefined: each relay serves its own. */
  readonly peer?: PeerOptions
  /** How long balancers have to see that the relay is not ready any more, before agents are sent away. */
  readonly preDrainMs?: number
  readonly drainMs: number
  readonly headTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly responseHeadTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly bodyBytesMin: number
  readonly unreadTimeoutMs: number
  readonly sessionsMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly connectionsWaitingMax: number
  /** Those of a visitor's HTTP/2 connection that are not to be the built-in ones. */
  readonly h2Limits?: Partial<H2Limits>
  readonly version: string
  /** The short way to plain TCP; tests pass one that scrubs. */
  readonly sockets?: DirectSockets
  readonly log: Log
}
