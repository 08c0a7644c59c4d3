import { spawn } from 'node:child_process'
import { generateKeyPairSync, randomInt, sign } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  get,
  request,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { agentTokenAudience, agentTokenType, tokenIssuer } from '@sluice/schema/claims'

import {
  fixtureOrganization,
  fixtureTunnel,
  fixtureViewer,
  openGraphFixture,
} from './graph-fixture.ts'
import type { GraphFixture, GraphRoot } from './graph-fixture.ts'

const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const apex = 'tunnel.localhost'
const readyTimeoutMs = 30_000

interface FixtureInput {
  readonly kind?: 'HTTP' | 'TCP' | 'TLS' | 'UDP'
  readonly name?: string
  readonly policy?: { readonly allowIps?: readonly string[]; readonly denyIps?: readonly string[] }
}

interface Visit {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real relay process, and a server of the graph that starts tunnels on it. */
export interface PlatformFixture extends AsyncDisposable {
  readonly graph: GraphFixture
  /** Every start of a tunnel, by what it asked for. */
  readonly starts: readonly FixtureInput[]
  /** The one public port of tunnels of TCP, and of UDP. */
  readonly tunnelPort: number
  /** A visitor’s request to the tunnel of this name. */
  visit(name: string, path?: string, options?: VisitOptions): Promise<Visit>
  /** The same, when the response has begun. */
  begin(name: string, path: string): Promise<IncomingMessage>
}

interface VisitOptions {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

export async function openPlatformFixture(extra: GraphRoot = {}): Promise<PlatformFixture> {
  await using stack = new AsyncDisposableStack()
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'fixture', alg: 'EdDSA', use: 'sig' }
  const keys = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key] }))
  })
  keys.listen(0, '127.0.0.1')
  await once(keys, 'listening')
  stack.defer(() => {
    keys.close()
    keys.closeAllConnections()
  })
  const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`
  const tunnelPort = await unusedPort()
  const { httpPort, httpsPort } = await startRelay(jwksUrl, tunnelPort, stack)

  const starts: FixtureInput[] = []
  const tunnels = new Map<
    string,
    { epoch: number; policy: NonNullable<FixtureInput['policy']>; kind: string }
  >()

  function grantOf(name: string) {
    const { epoch = 1, policy = {}, kind = 'HTTP' } = tunnels.get(name) ?? {}
    const hasPort = kind === 'TCP' || kind === 'UDP'
    const seconds = Math.floor(Date.now() / 1000)
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const claims = {
      iss: tokenIssuer,
      aud: agentTokenAudience,
      jti: crypto.randomUUID(),
      iat: seconds,
      exp: seconds + 3_600,
      sub: 'fixture',
      organizationId: fixtureOrganization.id,
      tunnelId: `t-${name}`,
      kind: kind.toLowerCase(),
      endpointHosts: hasPort ? [] : [`${name}.${apex}`],
      ...(hasPort ? { endpointPort: tunnelPort } : {}),
      tlsMode: kind === 'TLS' ? 'passthrough' : 'terminate',
      region: 'local',
      epoch,
      policy: { allowIps: policy.allowIps ?? [], denyIps: policy.denyIps ?? [] },
      maxConcurrentConns: 1_000,
    }
    const head = { alg: 'EdDSA', kid: key.kid, typ: agentTokenType }
    const body = `${encode(head)}.${encode(claims)}`
    const agentToken = `${body}.${sign(null, Buffer.from(body), privateKey).toString('base64url')}`
    const expiresAt = new Date((seconds + 3_600) * 1000).toISOString()
    const edges = [{ url: `ws://edge.${apex}:${httpPort}/_sluice/session`, region: 'local' }]
    return { agentToken, expiresAt, epoch, hostHeader: null, edges }
  }

  const graph = stack.use(
    await openGraphFixture({
      viewer: fixtureViewer,
      startTunnel({ input }: { input: FixtureInput }) {
        const name = input.name ?? `free-${starts.length}`
        starts.push(input)
        const epoch = (tunnels.get(name)?.epoch ?? 0) + 1
        const { kind = 'HTTP', policy = {} } = input
        tunnels.set(name, { epoch, policy, kind })
        const urlOf = {
          HTTP: `http://${name}.${apex}:${httpPort}`,
          TCP: `tcp://127.0.0.1:${tunnelPort}`,
          TLS: `tls://${name}.${apex}:${httpsPort}`,
          UDP: `udp://127.0.0.1:${tunnelPort}`,
        }
        return {
          tunnel: fixtureTunnel(name),
          urls: [urlOf[kind]],
          grant: grantOf(name),
        }
      },
      updateTunnel({ id, input }: { id: string; input: FixtureInput }) {
        const name = id.replace(/^t-/, '')
        const tunnel = tunnels.get(name)
        if (tunnel && input.policy) tunnel.policy = input.policy
        return fixtureTunnel(name)
      },
      renewAgentToken: ({ tunnelId }: { tunnelId: string }) => grantOf(tunnelId.replace(/^t-/, '')),
      ...extra,
    }),
  )

  const addressOf = (name: string, path: string) => ({
    host: '127.0.0.1',
    port: httpPort,
    path,
    agent: false as const,
    headers: { host: `${name}.${apex}:${httpPort}` },
  })
  const owned = stack.move()
  return {
    graph,
    starts,
    tunnelPort,
    async visit(name, path = '/', { method = 'GET', headers = {}, body } = {}) {
      const address = addressOf(name, path)
      const asking = request({ ...address, method, headers: { ...address.headers, ...headers } })
      asking.end(body)
      const [response] = (await once(asking, 'response')) as [IncomingMessage]
      let text = ''
      for await (const chunk of response) text += String(chunk)
      return { status: response.statusCode ?? 0, headers: response.headers, body: text }
    },
    async begin(name, path) {
      const [response] = await once(get(addressOf(name, path)), 'response')
      return response as IncomingMessage
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Below what kernels give to connections of their own accord, which might take the port between look and use. */
async function unusedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000)
    const server = createServer()
    const listening = once(server, 'listening')
    server.listen(port, '127.0.0.1')
    const isFree = await listening.then(
      () => true,
      () => false,
    )
    server.close()
    if (isFree) return port
  }
}

/** Starts the relay on free ports and returns those of its edge. */
async function startRelay(
  jwksUrl: string,
  tunnelPort: number,
  stack: AsyncDisposableStack,
): Promise<{ httpPort: number; httpsPort: number }> {
  const relay = spawn(process.execPath, [relayMain], {
    env: {
      PATH: '/usr/bin:/bin',
      RELAY_APEX: apex,
      RELAY_HTTP_PORT: '0',
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: '0',
      RELAY_TCP_PORTS: String(tunnelPort),
      RELAY_UDP_PORTS: String(tunnelPort),
      RELAY_JWKS_URL: jwksUrl,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(relay, 'exit')
  stack.defer(async () => {
    relay.kill('SIGKILL')
    await exited
  })
  const lines = createInterface(relay.stdout)
  const timer = setTimeout(() => relay.kill('SIGKILL'), readyTimeoutMs)
  try {
    for await (const line of lines) {
      const { httpPort, httpsPort = 0 } = JSON.parse(line) as {
        httpPort?: number
        httpsPort?: number
      }
      if (httpPort === undefined) continue
      // Its log goes on: nobody may be made to wait for a full pipe.
      relay.stdout.resume()
      return { httpPort, httpsPort }
    }
  } finally {
    clearTimeout(timer)
  }
  throw new Error('the relay ended before it was ready')
}
