import { fileURLToPath } from 'node:url'

import { startNode, stop } from './process.ts'

export const apex = 'tunnel.localhost'
const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const agentMain = fileURLToPath(new URL('../../agent/src/session/main.ts', import.meta.url))

interface RelaySettings {
  readonly jwksUrl: string
  readonly redisUrl?: string
  /** `from-to`, for TCP tunnels. */
  readonly tcpPorts?: string
  /** For a relay that is to start again where it was; 0: any. */
  readonly port?: number
  readonly sessionsMax?: number
}

/** A relay without control plane. With Redis it records requests, as in production. */
export async function startRelay(
  closing: AsyncDisposableStack,
  { jwksUrl, redisUrl = '', tcpPorts = '', port: wanted = 0, sessionsMax = 5_000 }: RelaySettings,
): Promise<{ readonly port: number; readonly pid: number }> {
  let port = 0
  const relay = await startNode(
    relayMain,
    {
      RELAY_APEX: apex,
      RELAY_HTTP_PORT: String(wanted),
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: '0',
      RELAY_JWKS_URL: jwksUrl,
      RELAY_KEY: '',
      RELAY_TCP_PORTS: tcpPorts,
      REDIS_URL: redisUrl,
      RELAY_DRAIN_SECONDS: '1',
      RELAY_SESSIONS_MAX: String(sessionsMax),
    },
    (line) => {
      const match = /"httpPort":(\d+)/.exec(line)
      port = Number(match?.[1] ?? 0)
      return port > 0
    },
  )
  closing.defer(() => stop(relay))
  return { port, pid: relay.pid ?? 0 }
}

/** An agent with one session and no control plane; answers its process id once it is online. */
export async function startAgent(
  closing: AsyncDisposableStack,
  relayPort: number,
  agentToken: string,
  upstreamPort: number,
  { raw = false } = {},
): Promise<number> {
  const agent = await startNode(
    agentMain,
    {
      EDGE_URL: `ws://edge.${apex}:${relayPort}/_sluice/session`,
      AGENT_TOKEN: agentToken,
      UPSTREAM_PORT: String(upstreamPort),
      RAW: raw ? 'yes' : '',
    },
    (line) => line === 'online',
  )
  closing.defer(() => stop(agent))
  return agent.pid ?? 0
}
