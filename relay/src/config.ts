import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

import { ConfigError, flag, logLevel, port, portRange, readConfig } from '@sluice/kit/config'
import { z } from 'zod'

import type { RelayOptions } from './server.ts'

const seconds = z.coerce.number().positive()
/** Zero for off. A timer holds no more than 24 days, and nobody should need more than one. */
const outageSeconds = z.coerce.number().min(0).max(86_400)
/** Zero for no limit. */
const secondsOrNever = z.coerce.number().min(0)
const peerPort = 9468
const count = z.coerce.number().int().positive()

/** Typed options from the environment. */
export function config(
  env: NodeJS.ProcessEnv,
): Omit<RelayOptions, 'log' | 'version'> & { logLevel: string; processes: number } {
  const read = readConfig(env, {
    RELAY_ID: z.string().default(hostname()),
    RELAY_REGION: z.string().default('local'),
    RELAY_APEX: z.string().toLowerCase().default('tunnel.localhost'),
    RELAY_HOST: z.string().default('127.0.0.1'),
    RELAY_HTTP_PORT: port.default(8080),
    RELAY_HTTPS_PORT: port.default(8443),
    RELAY_ADMIN_PORT: port.default(9467),
    RELAY_TCP_PORTS: portRange.optional(),
    RELAY_UDP_PORTS: portRange.optional(),
    RELAY_PUBLIC_HTTP_URL: z.url().optional(),
    RELAY_EDGE_URL: z.url().optional(),
    RELAY_TLS_CERT_PATH: z.string().optional(),
    RELAY_TLS_KEY_PATH: z.string().optional(),
    RELAY_TLS_CERTS_DIR: z.string().optional(),
    RELAY_TLS_SELF_SIGNED: flag.optional(),
    RELAY_HTTPS_REDIRECT_PORT: port.optional(),
    RELAY_CLIENT_HELLO_SECONDS: seconds.default(3),
    RELAY_HANDSHAKE_SECONDS: seconds.default(10),
    RELAY_HANDSHAKES_PER_ADDRESS_MAX: count.default(250),
    RELAY_GATEWAY_URL: z.url().default('http://127.0.0.1:4000'),
    RELAY_KEY: z.string().optional(),
    RELAY_JWKS_URL: z.url().optional(),
    RELAY_CONSOLE_HOST: z.string().toLowerCase().optional(),
    REDIS_URL: z.url().optional(),
    RELAY_EDGE_POOL: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
      .default('default'),
    RELAY_PEER_SECRET: z.string().min(32).optional(),
    RELAY_PEER_HOST: z.string().default('127.0.0.1'),
    RELAY_PEER_PORT: port.default(peerPort),
    RELAY_PEER_URL: z.url({ protocol: /^(tcp|tls)$/ }).optional(),
    RELAY_PEER_TLS_CERT_PATH: z.string().optional(),
    RELAY_PEER_TLS_KEY_PATH: z.string().optional(),
    RELAY_PEER_CA_PATH: z.string().optional(),
    RELAY_PROCESSES: count.max(256).default(1),
    RELAY_PROCESS: count.optional(),
    RELAY_PRE_DRAIN_SECONDS: secondsOrNever.default(0),
    RELAY_DRAIN_SECONDS: seconds.default(30),
    RELAY_OUTAGE_SECONDS: outageSeconds.default(3_600),
    RELAY_HEAD_SECONDS: seconds.default(30),
    RELAY_IDLE_SECONDS: seconds.default(75),
    RELAY_RESPONSE_HEAD_SECONDS: seconds.default(300),
    RELAY_BODY_SECONDS: secondsOrNever.default(60),
    RELAY_BODY_BYTES_MIN: count.default(1),
    RELAY_UNREAD_SECONDS: secondsOrNever.default(0),
    RELAY_SESSIONS_MAX: count.default(5_000),
    RELAY_CONNECTIONS_MAX: count.default(20_000),
    RELAY_CONNECTIONS_PER_ADDRESS_MAX: count.default(10_000),
    RELAY_CONNECTIONS_WAITING_MAX: count.default(1_024),
    RELAY_PAYPAL_CERT_PATH: z.string().optional(),
    LOG_LEVEL: logLevel.default('info'),
  })
  const apex = read.RELAY_APEX
  const { RELAY_TLS_CERT_PATH: certPath, RELAY_TLS_KEY_PATH: keyPath } = read
  if ((certPath === undefined) !== (keyPath === undefined)) {
    throw new ConfigError('RELAY_TLS_CERT_PATH and RELAY_TLS_KEY_PATH belong together')
  }
  const gatewayUrl = read.RELAY_GATEWAY_URL
  // Of several processes each is a relay of its own, behind the same public ports.
  const sibling = (read.RELAY_PROCESS ?? 1) - 1
  return {
    processes: read.RELAY_PROCESS === undefined ? read.RELAY_PROCESSES : 1,
    relayId: read.RELAY_PROCESS === undefined ? read.RELAY_ID : `${read.RELAY_ID}-${sibling + 1}`,
    reusePort: read.RELAY_PROCESS !== undefined,
    region: read.RELAY_REGION,
    pool: read.RELAY_EDGE_POOL,
    ...peerOf(read, sibling),
    apex,
    host: read.RELAY_HOST,
    httpPort: read.RELAY_HTTP_PORT,
    httpsPort: read.RELAY_HTTPS_PORT,
    adminPort: read.RELAY_ADMIN_PORT === 0 ? 0 : read.RELAY_ADMIN_PORT + sibling,
    tcpPorts: read.RELAY_TCP_PORTS,
    udpPorts: read.RELAY_UDP_PORTS,
    ...(certPath && keyPath ? { certificate: { certPath, keyPath } } : {}),
    ...(read.RELAY_TLS_CERTS_DIR ? { certificatesDirectory: read.RELAY_TLS_CERTS_DIR } : {}),
    selfSigned: read.RELAY_TLS_SELF_SIGNED ?? isLoopbackName(apex),
    ...(read.RELAY_HTTPS_REDIRECT_PORT ? { redirectPort: read.RELAY_HTTPS_REDIRECT_PORT } : {}),
    tlsLimits: {
      helloTimeoutMs: read.RELAY_CLIENT_HELLO_SECONDS * 1000,
      handshakeTimeoutMs: read.RELAY_HANDSHAKE_SECONDS * 1000,
      handshakesPerAddressMax: read.RELAY_HANDSHAKES_PER_ADDRESS_MAX,
    },
    jwks: read.RELAY_JWKS_URL ?? new URL('/.well-known/jwks.json', gatewayUrl).href,
    ...(read.REDIS_URL ? { redisUrl: read.REDIS_URL } : {}),
    ...(read.RELAY_KEY
      ? {
          registration: {
            gatewayUrl,
            relayKey: read.RELAY_KEY,
            publicHttpUrl: read.RELAY_PUBLIC_HTTP_URL ?? `http://${apex}:${read.RELAY_HTTP_PORT}`,
            edgeUrl:
              read.RELAY_EDGE_URL ?? `ws://edge.${apex}:${read.RELAY_HTTP_PORT}/_sluice/session`,
          },
        }
      : {}),
    ...(read.RELAY_CONSOLE_HOST ? { console: { host: read.RELAY_CONSOLE_HOST, gatewayUrl } } : {}),
    preDrainMs: read.RELAY_PRE_DRAIN_SECONDS * 1000,
    drainMs: read.RELAY_DRAIN_SECONDS * 1000,
    outageMs: read.RELAY_OUTAGE_SECONDS * 1000,
    headTimeoutMs: read.RELAY_HEAD_SECONDS * 1000,
    idleTimeoutMs: read.RELAY_IDLE_SECONDS * 1000,
    responseHeadTimeoutMs: read.RELAY_RESPONSE_HEAD_SECONDS * 1000,
    bodyTimeoutMs: read.RELAY_BODY_SECONDS * 1000,
    bodyBytesMin: read.RELAY_BODY_BYTES_MIN,
    unreadTimeoutMs: read.RELAY_UNREAD_SECONDS * 1000,
    ...(read.RELAY_PAYPAL_CERT_PATH
      ? { paypal: { certificate: readFileSync(read.RELAY_PAYPAL_CERT_PATH, 'utf8') } }
      : {}),
    sessionsMax: read.RELAY_SESSIONS_MAX,
    connectionsMax: read.RELAY_CONNECTIONS_MAX,
    connectionsPerAddressMax: read.RELAY_CONNECTIONS_PER_ADDRESS_MAX,
    connectionsWaitingMax: read.RELAY_CONNECTIONS_WAITING_MAX,
    logLevel: read.LOG_LEVEL,
  }
}

interface PeerVariables {
  readonly RELAY_PEER_SECRET?: string | undefined
  readonly RELAY_PEER_HOST: string
  readonly RELAY_PEER_PORT: number
  readonly RELAY_PEER_URL?: string | undefined
  readonly RELAY_PEER_TLS_CERT_PATH?: string | undefined
  readonly RELAY_PEER_TLS_KEY_PATH?: string | undefined
  readonly RELAY_PEER_CA_PATH?: string | undefined
}

function peerOf(read: PeerVariables, sibling: number): Pick<RelayOptions, 'peer'> {
  const { RELAY_PEER_SECRET: secret, RELAY_PEER_HOST: host, RELAY_PEER_PORT: first } = read
  if (!secret) return {}
  return {
    peer: {
      secret,
      host,
      port: first === 0 ? 0 : first + sibling,
      url: peerUrlOf(read.RELAY_PEER_URL, sibling),
      certificate: certificateOf(read.RELAY_PEER_TLS_CERT_PATH, read.RELAY_PEER_TLS_KEY_PATH),
      ca: read.RELAY_PEER_CA_PATH && readFileSync(read.RELAY_PEER_CA_PATH, 'utf8'),
    },
  }
}

/** Where other relays reach this one. Of several processes each has the port behind the one before. */
function peerUrlOf(text: string | undefined, sibling: number): string | undefined {
  if (text === undefined) return undefined
  const url = new URL(text)
  return `${url.protocol}//${url.hostname}:${Number(url.port || peerPort) + sibling}`
}

function certificateOf(certPath: string | undefined, keyPath: string | undefined) {
  if ((certPath === undefined) !== (keyPath === undefined)) {
    throw new ConfigError('RELAY_PEER_TLS_CERT_PATH and RELAY_PEER_TLS_KEY_PATH belong together')
  }
  if (!certPath || !keyPath) return undefined
  return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') }
}

/** Names that lead to this machine alone (RFC 6761 §6.3): nobody can have a certificate for them. */
function isLoopbackName(apex: string): boolean {
  return apex === 'localhost' || apex.endsWith('.localhost')
}
