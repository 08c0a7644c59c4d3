import { openForgeryReports } from '@sluice/kit/forgeries'
import { createMetrics, openAdminServer } from '@sluice/kit/metrics'
import { openChannelHub, openRedis, redisReady, type ChannelHub } from '@sluice/kit/redis'
import { SluiceError } from '@sluice/schema/errors'
import { Revocation, TunnelChange, redisChannels } from '@sluice/schema/redis'
import { DirectSockets, Forwarder, type UpstreamAddress } from '@sluice/wire'
import type { JSONWebKeySet } from 'jose'

import { jwksFrom, openAgentTokens } from './control/agent-token.ts'
import { Agents } from './control/agents.ts'
import { linkControlPlane } from './control/control-plane.ts'
import { Outage } from './control/outage.ts'
import { drain } from './drain.ts'
import type { EdgeTimeouts } from './edge/edge-context.ts'
import { openEdge, type Edge } from './edge/edge.ts'
import { KnownHosts, askHostOf } from './known-hosts.ts'
import { openMemoryLink } from './memory-link.ts'
import { RelayMetrics } from './metrics.ts'
import { Observer } from './observe/observer.ts'
import { openPeerSide } from './peer/peer-side.ts'
import { PasswordChecks } from './policy/password-checks.ts'
import { Rejections } from './policy/rejections.ts'
import { LimitsOfTunnels } from './policy/tunnel-limits.ts'
import { WebhookCheck } from './policy/webhook/webhook-check.ts'
import { RawEdge } from './raw/raw-edge.ts'
import type { RelayOptions } from './relay-options.ts'
import { Sessions, isPortName } from './sessions.ts'
import { SuspendedHosts } from './suspended-hosts.ts'
import { openTls } from './tls/open-tls.ts'

export type { RelayOptions } from './relay-options.ts'

/** A relay that starts waits no longer for Redis, which may be away. */
const redisMsMax = 2_000

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
// oxlint-disable-next-line max-lines-per-function -- It wires some twenty parts to each other, and does nothing else.
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const { log, relayId, apex } = options
  const redis = options.redisUrl === undefined ? undefined : openRedis(options.redisUrl, log)
  const sockets = options.sockets ?? new DirectSockets()
  const peered = options.peer !== undefined && redis !== undefined
  const limits = new LimitsOfTunnels({
    relayId,
    redis,
    flush: () => flush(),
    onLimited: (one) => edge?.pace(one),
  })
  const sessions = new Sessions(limits)
  const { registration } = options
  const knownHosts = new KnownHosts({ redis, ask: registration && askHostOf(registration) })
  const tokens = openAgentTokens(keysOf(options.jwks))
  const forgeries = openForgeryReports({ redis, part: `relay ${relayId}`, log })
  const registry = createMetrics('relay', { processFigures: true })
  const suspendedHosts = new SuspendedHosts()
  const outage = new Outage({ limitMs: options.outageMs, renewWithinMs: options.renewWithinMs })
  let draining = false
  let edge: Edge | undefined
  const flush = (): void => edge?.flush()

  const agents: Agents = new Agents({
    relayId,
    sessions,
    tokens,
    outage,
    suspendedHosts,
    sockets,
    sessionsMax: options.sessionsMax,
    draining: () => draining,
    onChunkEnd: flush,
    prepare: (claims) => raw.prepare(claims),
    onDatagram: (tunnel, datagram) => raw.reply(tunnel, datagram),
    onRefused: (code) => metrics.sessionsRefused.inc({ code }),
    onForged: (ip) => forgeries.note('agent token', ip),
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
      void peerSide.offline(tunnel, held, stopped).then((last) => {
        if (last) observer.offline(tunnel)
      })
      if (held) raw.offline(tunnel, stopped)
      log.info({ ...idsOf(tunnel.id, tunnel.claims), reason }, 'session closed')
    },
    onPolicy(tunnel) {
      edge?.enforce(tunnel)
      raw.enforce(tunnel)
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
  const raw: RawEdge = new RawEdge({
    ...options,
    // Relays of one machine share ports like the processes of one relay do: an agent that moves never finds its port taken.
    reusePort: options.reusePort || peered,
    peers: !peered
      ? undefined
      : {
          connectPort: async (purpose) => peerSide.peers?.connectPort(purpose),
          isElsewhere: async (name) => (await peerSide.peers?.isElsewhere(name)) ?? false,
        },
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
  let readSuspensions = (): void => undefined
  // Announcements of the time without Redis are lost: the list has them.
  const hub = options.redisUrl
    ? openChannelHub(options.redisUrl, log, { onReady: () => readRevocations() })
    : undefined
  listenForChanges(options, hub, { agents, raw, suspendedHosts })
  hub
    ?.subscribe(redisChannels.closedHosts, () => readSuspensions())
    .catch((error: unknown) => log.warn({ err: error }, 'suspensions are not heard'))
  const peerSide = await openPeerSide({
    ...options,
    redis,
    hub,
    sessions,
    agents,
    raw,
    onChunkEnd: flush,
    accept(socket, preface) {
      if (preface.mode === 'raw' && isPortName(preface.name)) raw.acceptPeer(socket, preface)
      else edge?.acceptPeer(socket, preface)
    },
    onFound: (name) => knownHosts.served([name]),
    onRefused: () => metrics.peersRefused.inc(),
    onForged: (ip) => forgeries.note('peer connection', ip),
    onForward: () => metrics.forwarded.inc(),
    onSilent(peerRelayId) {
      metrics.peersSilent.inc()
      log.warn({ peerRelayId }, 'another relay is silent: requests brought to it are given up')
    },
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
    timeouts: timeoutsOf(options),
    places: {
      sessions,
      edgeHost: `edge.${apex}`,
      ownEdgeHost: options.registration && new URL(options.registration.edgeUrl).hostname,
      consoleHost: options.console?.host,
      suspendedHosts,
      passwordChecks: new PasswordChecks(),
      draining: () => draining,
    },
    whyAbsent: (endpointHost) => knownHosts.codeOf(endpointHost),
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
  const opened = edge
  const controlPlane = linkControlPlane(options, {
    sessions,
    agents,
    outage,
    suspendedHosts,
    connections: () => opened.connections(),
    isDeaf: () => redis !== undefined && redis.status !== 'ready',
  })
  readRevocations = () => controlPlane?.readRevocations()
  readSuspensions = () => controlPlane?.readSuspensions()

  async function close(): Promise<void> {
    if (draining) return
    draining = true
    log.info({ sessions: sessions.size }, 'draining')
    await drain({ ...options, registration: controlPlane, agents, peerSide, edge: opened, raw })
    agents.close()
    knownHosts.close()
    await opened.close()
    raw.close()
    tls.close()
    consoleLink?.close()
    controlPlane?.close()
    tokens.close()
    await peerSide.close()
    await observer.close()
    await forgeries.close()
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

function listenForChanges(
  { log }: RelayOptions,
  hub: ChannelHub | undefined,
  parts: { agents: Agents; raw: RawEdge; suspendedHosts: SuspendedHosts },
) {
  const { agents, raw } = parts
  hub
    ?.subscribe(redisChannels.revocations, (message) => {
      const revocation = Revocation.safeParse(parseJson(message))
      if (!revocation.success) {
        log.warn('a revocation could not be read')
        return
      }
      agents.revoke(revocation.data)
      if (revocation.data.kind === 'host') noteSuspension(revocation.data, parts)
      if (revocation.data.kind === 'tunnel') raw.revoke(revocation.data.id)
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

function noteSuspension(
  { id: name, reason = '', lifted }: Revocation,
  { agents, suspendedHosts }: { agents: Agents; suspendedHosts: SuspendedHosts },
): void {
  if (lifted) {
    suspendedHosts.remove(name)
    return
  }
  suspendedHosts.add({ name, reason })
  agents.endSuspended()
}

function timeoutsOf(options: RelayOptions): EdgeTimeouts {
  const { headTimeoutMs, idleTimeoutMs, responseHeadTimeoutMs } = options
  const { bodyTimeoutMs, bodyBytesMin, unreadTimeoutMs } = options
  return {
    headTimeoutMs,
    idleTimeoutMs,
    responseHeadTimeoutMs,
    bodyTimeoutMs,
    bodyBytesMin,
    unreadTimeoutMs,
  }
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
