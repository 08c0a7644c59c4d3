import { setTimeout as sleep } from 'node:timers/promises'

import type { Log } from '@sluice/kit/log'
import { createMetrics, openAdminServer } from '@sluice/kit/metrics'
import { openChannelHub, openRedis, redisReady, type ChannelHub } from '@sluice/kit/redis'
import { SluiceError } from '@sluice/schema/errors'
import { Revocation, TunnelChange, redisChannels } from '@sluice/schema/redis'
import { DirectSockets, Forwarder, type UpstreamAddress } from '@sluice/wire'
import type { JSONWebKeySet } from 'jose'

import { jwksFrom, openAgentTokens } from './control/agent-token.ts'
import { Agents, revocationKeptMs } from './control/agents.ts'
import { Outage } from './control/outage.ts'
import { openRevocationList, type RevocationList } from './control/revocation-list.ts'
import { openEdge, type Edge } from './edge/edge.ts'
import type { H2Limits } from './h2/h2-limits.ts'
import { KnownHosts } from './known-hosts.ts'
import { openMemoryLink } from './memory-link.ts'
import { RelayMetrics } from './metrics.ts'
import { Observer } from './observe/observer.ts'
import { openPeerSide, type PeerOptions } from './peer/peer-side.ts'
import { PasswordChecks } from './policy/password-checks.ts'
import { Rejections } from './policy/rejections.ts'
import { LimitsOfTunnels } from './policy/tunnel-limits.ts'
import type { PaypalOptions } from './policy/webhook/paypal.ts'
import { WebhookCheck } from './policy/webhook/webhook-check.ts'
import { RawEdge, type PortRange } from './raw/raw-edge.ts'
import { openRegistration, type Registration } from './registration.ts'
import { Sessions } from './sessions.ts'
import { openTls, type TlsOptions } from './tls/open-tls.ts'

/** How long agents may take to open their next session elsewhere before new visitors are turned away here. */
const movedMsMax = 10_000
/** How long nothing has to be under way before the relay is closed: other relays know by then where its tunnels are. */
const quietMs = 500
/** A relay that starts waits no longer for Redis, which may be away. */
const redisMsMax = 2_000

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

export interface Relay {
  readonly httpPort: number
  readonly httpsPort: number | undefined
  readonly adminPort: number
  /** Where other relays bring requests; undefined when they do not. */
  readonly peerPort: number | undefined
  /** Reads certificates from changed files now rather than in some seconds. */
  reload(): Promise<void>
  /** Sends agents away, lets streams in flight finish within `drainMs`, then closes. */
  close(): Promise<void>
}

/** Builds a relay: admin port first, then the control side, then the public listeners, so that nobody arrives too early. */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const { log, relayId, apex } = options
  const redis = options.redisUrl === undefined ? undefined : openRedis(options.redisUrl, log)
  const sockets = options.sockets ?? new DirectSockets()
  const limits = new LimitsOfTunnels({
    relayId,
    redis,
    flush: () => flush(),
    onLimited: (one) => edge?.pace(one),
  })
  const sessions = new Sessions(limits)
  const knownHosts = new KnownHosts(redis)
  const tokens = openAgentTokens(keysOf(options.jwks))
  const registry = createMetrics('relay', { processFigures: true })
  const outage = new Outage({ limitMs: options.outageMs, renewWithinMs: options.renewWithinMs })
  let draining = false
  let edge: Edge | undefined
  const flush = (): void => edge?.flush()

  const agents: Agents = new Agents({
    relayId,
    sessions,
    tokens,
    outage,
    sockets,
    sessionsMax: options.sessionsMax,
    draining: () => draining,
    onChunkEnd: flush,
    prepare: (claims) => raw.prepare(claims),
    onDatagram: (tunnel, datagram) => raw.reply(tunnel, datagram),
    onRefused: (code) => metrics.sessionsRefused.inc({ code }),
    onOpen(tunnel) {
      knownHosts.served(tunnel.claims.endpointHosts)
      metrics.sessionsOpened.inc()
      observer.online(tunnel)
      raw.online(tunnel)
      peerSide.online(tunnel)
      log.info(idsOf(tunnel.id, tunnel.claims), 'session opened')
    },
    onClose(tunnel, held, reason, stopped) {
      // At once: what it has used is owed, also by a relay that is closing.
      observer.replaced(tunnel)
      void peerSide.offline(tunnel, held).then((last) => {
        if (last) observer.offline(tunnel)
      })
      if (held) raw.offline(tunnel, stopped)
      log.info({ ...idsOf(tunnel.id, tunnel.claims), reason }, 'session closed')
    },
    onGrace(tunnel) {
      log.warn(idsOf(tunnel.id, tunnel.claims), 'session goes on past its agent token')
    },
  })
  const metrics = new RelayMetrics(registry, {
    sessions: () => sessions.size,
    sessionsInGrace: () => agents.graceCount(),
    controlPlaneAway: () => outage.away,
    streams: () => agents.streamCount(),
    connections: () => (edge?.connections() ?? 0) + raw.connections(),
  })
  const observer = new Observer({
    relayId,
    redis,
    sessions,
    onDropped: (what, count) => metrics.dropped.inc({ what }, count),
  })
  const rejections = new Rejections(registry, log)
  const raw = new RawEdge({
    ...options,
    sockets,
    tcpPorts: options.tcpPorts,
    udpPorts: options.udpPorts,
    find: (name) => sessions.find(name),
    draining: () => draining,
    rejected: (refusal) => rejections.note(refusal),
    onDatagramDropped: (reason) => metrics.datagramsDropped.inc({ reason }),
    observe(observed) {
      metrics.observeConnection(observed)
      observer.observeConnection(observed)
    },
  })
  let readRevocations = (): void => undefined
  // Announcements of the time without Redis are lost: the list has them.
  const hub = options.redisUrl
    ? openChannelHub(options.redisUrl, log, { onReady: () => readRevocations() })
    : undefined
  listenForChanges(options, hub, agents)
  const peerSide = await openPeerSide({
    ...options,
    redis,
    hub,
    sessions,
    agents,
    onChunkEnd: flush,
    accept: (socket, preface) => edge?.acceptPeer(socket, preface),
    onRefused: () => metrics.peersRefused.inc(),
    onForward: () => metrics.forwarded.inc(),
  })
  const admin = await openAdminServer({
    port: options.adminPort,
    host: options.host,
    metrics: registry,
    notReady: () =>
      draining ? 'draining' : tokens.ready() ? null : 'no keys for agent tokens yet',
  })
  const consoleLink = options.console
    ? await openMemoryLink('console', forwarderTo(options.console.gatewayUrl), flush)
    : undefined
  const tls = await openTls({ ...options, hub }, registry, (name) => knownHosts.isKnown(name))
  // Who comes before the relay can ask where tunnels are would be told that there are none.
  if (redis) await redisReady(redis, redisMsMax).catch(() => undefined)
  edge = await openEdge({
    ...options,
    sockets,
    tls,
    serveRaw: (visit) => raw.serve(visit),
    timeouts: {
      headTimeoutMs: options.headTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      responseHeadTimeoutMs: options.responseHeadTimeoutMs,
      bodyTimeoutMs: options.bodyTimeoutMs,
      bodyBytesMin: options.bodyBytesMin,
      unreadTimeoutMs: options.unreadTimeoutMs,
    },
    places: {
      sessions,
      edgeHost: `edge.${apex}`,
      ownEdgeHost: options.registration && new URL(options.registration.edgeUrl).hostname,
      consoleHost: options.console?.host,
      passwordChecks: new PasswordChecks(),
      draining: () => draining,
    },
    isKnown: (endpointHost) => knownHosts.isKnown(endpointHost),
    peers: peerSide.peers,
    console: () => consoleLink?.session(),
    records: (tunnel, nowMs) => observer.records(tunnel, nowMs),
    webhooks: new WebhookCheck(options.paypal),
    rejected: (refusal) => rejections.note(refusal),
    observe(observed) {
      metrics.observe(observed)
      observer.observe(observed)
    },
    refuseAgent: (head) => agents.refusalOf(head),
    acceptAgent: (socket, head, first) => agents.accept(socket, head, first),
    onConnectionRefused: (reason) => metrics.connectionsRefused.inc({ reason }),
  })
  const revocations = options.registration
    ? openRevocationList({
        ...options.registration,
        agents,
        lookBackMs: revocationKeptMs + options.outageMs,
        log,
      })
    : undefined
  readRevocations = () => revocations?.read()
  const registration = register(options, { sessions, edge, agents, revocations }, (answered) => {
    if (!answered) outage.began()
    else if (outage.away) {
      outage.ended()
      agents.controlPlaneAnswered()
    }
  })
  const opened = edge

  async function drain(): Promise<void> {
    draining = true
    log.info({ sessions: sessions.size }, 'draining')
    // Not ready, and of no use to new agents. Visitors still come, and are served, until balancers have seen it.
    const told = registration?.drain()
    if (options.preDrainMs) await sleep(options.preDrainMs)
    const untilMs = performance.now() + options.drainMs
    agents.goAway(options.drainMs)
    if (peerSide.peers) {
      await peerSide.untilMoved(Math.min(options.drainMs, movedMsMax))
      // Right behind a look for new connections: what waits in a listener that closes is reset.
      await new Promise(setImmediate)
    }
    opened.drain()
    raw.drain()
    await told
    const enoughMs = peerSide.peers ? quietMs : 0
    let busyMs = performance.now()
    while (performance.now() < untilMs) {
      if (agents.streamCount() + opened.busy() > 0) busyMs = performance.now()
      // A request of another relay may still be on its way here, by the route of before.
      else if (performance.now() - busyMs >= enoughMs) break
      await sleep(20)
    }
  }

  async function close(): Promise<void> {
    if (draining) return
    await drain()
    agents.close()
    await opened.close()
    raw.close()
    tls.close()
    consoleLink?.close()
    registration?.close()
    revocations?.close()
    tokens.close()
    await peerSide.close()
    await observer.close()
    await hub?.close()
    redis?.disconnect()
    await admin.close()
  }
  const { httpPort, httpsPort } = edge
  return {
    httpPort,
    httpsPort,
    adminPort: admin.port,
    peerPort: peerSide.port,
    reload: () => tls.reload(),
    close,
  }
}

function listenForChanges({ log }: RelayOptions, hub: ChannelHub | undefined, agents: Agents) {
  hub
    ?.subscribe(redisChannels.revocations, (message) => {
      const revocation = Revocation.safeParse(parseJson(message))
      if (revocation.success) agents.revoke(revocation.data)
      else log.warn('a revocation could not be read')
    })
    .catch((error: unknown) => log.warn({ err: error }, 'revocations are not heard'))
  hub
    ?.subscribe(redisChannels.tunnelChanges, (message) => {
      const change = TunnelChange.safeParse(parseJson(message))
      if (change.success) agents.renew(change.data.tunnelId)
      else log.warn('a change of a tunnel could not be read')
    })
    .catch((error: unknown) => log.warn({ err: error }, 'changes of tunnels are not heard'))
}

interface Registered {
  readonly sessions: Sessions
  readonly edge: Edge
  readonly agents: Agents
  readonly revocations: RevocationList | undefined
}

function register(
  options: RelayOptions,
  { sessions, edge, agents, revocations }: Registered,
  onAttempt: (answered: boolean) => void,
): Registration | undefined {
  const { registration, pool = 'default', connectionsMax: capacity } = options
  if (!registration) return undefined
  return openRegistration({
    ...options,
    ...registration,
    pool,
    capacity,
    sessions,
    connections: () => edge.connections(),
    onAttempt,
    onRegistered: () => revocations?.read(),
    onDrainOrdered: registration.onDrainOrdered ?? (() => undefined),
    onReplaced: (sessionIds) => agents.endReplaced(sessionIds),
  })
}

function keysOf(jwks: string | JSONWebKeySet) {
  return typeof jwks === 'string' ? jwksFrom(jwks) : () => Promise.resolve(jwks)
}

function forwarderTo(url: string): Forwarder {
  return new Forwarder({ upstream: addressOf(url), hostHeader: 'preserve', betweenPolls: true })
}

function addressOf(url: string): UpstreamAddress {
  const { hostname, port, protocol } = new URL(url)
  const tls = protocol === 'https:'
  return { host: hostname, port: port === '' ? (tls ? 443 : 80) : Number(port), tls }
}

function idsOf(
  sessionId: string,
  { tunnelId, organizationId, epoch }: { tunnelId: string; organizationId: string; epoch: number },
) {
  return { sessionId, tunnelId, organizationId, epoch }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return new SluiceError('SLUICE_INPUT_INVALID', { reason: 'not JSON' }, { cause: error })
  }
}
