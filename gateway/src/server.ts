import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createRequire } from 'node:module'

import { createAttempts } from '@sluice/kit/attempts'
import { createInternalSigner, type SubgraphName } from '@sluice/kit/internal-token'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { listen, openAdminServer } from '@sluice/kit/metrics'
import { openChannelHub, openRedis, redisReady } from '@sluice/kit/redis'
import { openSigningKeys, type PrivateJwks } from '@sluice/kit/signing-keys'

import { createAuthenticator } from './authenticate.ts'
import type { Door } from './check-operation.ts'
import { createConsoleFiles } from './console-files.ts'
import type { Manifest } from './document-id.ts'
import { createGeneration, sha256Of, warm } from './generation.ts'
import { createGenerations } from './generations.ts'
import { createGraphiql } from './graphiql.ts'
import { createHttpDoor } from './http-door.ts'
import { openHttpPool } from './http-pool.ts'
import { createIdentity } from './identity.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { createGatewayMetrics, type GatewayMetrics } from './metrics.ts'
import { createOperations } from './operations.ts'
import { createOriginCheck } from './origins.ts'
import { wholeGraph } from './public/admission.ts'
import { openPublicGraph } from './public/public-graph.ts'
import { createRestDoor } from './rest-door.ts'
import { restPaths } from './rest-paths.ts'
import { createRoutes, pathOf, publicGraphPath } from './routes.ts'
import { createSocketDoor } from './socket-door.ts'
import { openSubgraphs } from './subgraphs.ts'
import { createVisitorIp } from './visitor-ip.ts'

export interface GatewayOptions {
  port: number
  host?: string
  /** Where `/metrics`, `/healthz` and `/readyz` are shown to the operator; nowhere when absent. */
  metricsPort?: number
  /** Whether the gateway is the only part of its process, so that the process's own figures are its. */
  processFigures?: boolean
  /** The committed one when absent. */
  supergraphSdl?: string
  /** Registered documents; the committed ones when absent. */
  manifest?: Manifest
  /** Address of each subgraph, with or without its path `/graphql`. */
  subgraphs: Readonly<Record<SubgraphName, string>>
  identityUrl: string
  /** Certify the keys that sign what tells subgraphs who is asking. */
  internalSigningJwks: PrivateJwks
  /** How old such a key gets before another one is made; a day when absent. */
  internalKeyMs?: number
  redisUrl: string
  /** The one origin whose pages may use the gateway. */
  consoleOrigin: string
  /** Folder of the built console. */
  consoleDist?: string
  /** What the signed-in may send. */
  documents: Door['documents']
  /** SHA-256, in hex, of each relay key. */
  relayKeyHashes: readonly string[]
  /** Addresses or CIDR blocks of proxies whose `X-Forwarded-For` is believed; none by default. */
  trustedProxies?: readonly string[]
  limits?: Partial<Limits>
  log: Log
}

export interface Gateway {
  readonly port: number
  /** Port of the operator's figures, or null. */
  readonly metricsPort: number | null
  /** Takes another supergraph into use. Throws, and keeps the one in use, when it cannot be loaded. */
  reload(supergraphSdl: string): void
  /** Reads the supergraph file again. What cannot be loaded is logged, and the one in use stays. */
  reloadCommitted(): void
  close(): Promise<void>
}

/** How long a client may take: for the head, for the whole request, and between two on one connection. */
const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 15_000 }

const dayMs = 86_400_000

/** How long the start waits for Redis, and for its word that revocations are heard. It goes on without. */
const redisWaitMs = 2_000

export function createServer(options: GatewayOptions): Promise<Gateway> {
  return opening(async (closer) => {
    const { log, consoleOrigin } = options
    const limits: Limits = { ...defaultLimits, ...options.limits }
    const supergraphSdl = options.supergraphSdl ?? committed('supergraph.graphql')
    const manifest =
      options.manifest ?? (JSON.parse(committed('operations/manifest.json')) as Manifest)
    const metrics = createGatewayMetrics({ processFigures: options.processFigures ?? false })
    const signer = createInternalSigner(await openSigningKeys(options.internalSigningJwks), {
      everyMs: options.internalKeyMs ?? dayMs,
      onFailed: (error) => log.error({ err: error }, 'the next internal key could not be made'),
    })

    const load = (sdl: string) => {
      const generation = createGeneration({
        supergraphSdl: sdl,
        manifest,
        limits,
        onApollo: () => metrics.apolloRuns.inc(),
      })
      warm(generation, manifest, log)
      log.info({ sha256: generation.sha256 }, 'supergraph loaded')
      return generation
    }
    const generations = createGenerations(load(supergraphSdl), limits.reloadDrainMs)

    const subgraphs = closer.add(
      openSubgraphs({ urls: options.subgraphs, signer, limits, metrics, log }),
    )
    const identityPool = closer.add(
      openHttpPool(new URL(options.identityUrl).origin, {
        timeoutMs: limits.authenticationMs,
        bytesMax: limits.subgraphBytesMax,
        connectionsMax: limits.subgraphConnectionsMax,
      }),
    )
    const { jwksCachedMs } = limits
    const identity = createIdentity({ pool: identityPool, signer, jwksCachedMs, now: Date.now })
    const hub = closer.add(openChannelHub(options.redisUrl, log))
    const redis = openRedis(options.redisUrl, log)
    closer.defer(() => redis.disconnect())
    const authenticator = closer.add(
      createAuthenticator({
        identity,
        attempts: createAttempts(redis, log, () => log.warn('an address tries credentials')),
        hub,
        relayKeyHashes: options.relayKeyHashes,
        limits,
        now: Date.now,
        log,
      }),
    )
    // Budgets that were counted here at first would be counted anew over there.
    const counting = redisReady(redis, redisWaitMs).catch(() => undefined)
    await Promise.all([authenticator.hearing(redisWaitMs), counting])

    const { sources, upstreams } = subgraphs
    const running = { sources, upstreams, signer, limits, metrics, log }
    const shared = {
      operations: createOperations({ ...running, generations }),
      admission: wholeGraph,
      authenticator,
      documents: options.documents,
      isAllowedOrigin: createOriginCheck(consoleOrigin),
      visitorIpOf: createVisitorIp(options.trustedProxies ?? []),
      limits,
      log,
    }
    const graph = createHttpDoor({
      ...shared,
      refreshCookieName: refreshCookieNameOf(consoleOrigin),
    })
    const sockets = createSocketDoor({ ...shared, metrics })
    const publicGraph = openPublicGraph({ ...running, ...shared, supergraphSdl, redis })
    const rest = closer.add(
      createRestDoor({ ...shared, paths: restPaths, urls: options.subgraphs, signer }),
    )
    const routes = createRoutes({
      graph,
      publicGraph: publicGraph?.answer ?? null,
      rest: rest.answer,
      graphiql: createGraphiql({ ...shared, consoleOrigin }),
      files: createConsoleFiles({ folder: options.consoleDist, consoleOrigin, now: Date.now }),
      identity,
      jwksCachedMs,
      supergraphSha256: () => generations.current().sha256,
      consoleOrigin,
      log,
    })
    const server = createHttpServer(timeouts, routes)
    const upgrades = { '/graphql': sockets, [publicGraphPath]: publicGraph }
    server.on('upgrade', (request, socket, head) => {
      const door = Object.entries(upgrades).find(([path]) => path === pathOf(request))?.[1]
      if (door) door.upgrade(request, socket, head)
      else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    })

    const listening = closer.add(await listen(server, options.port, options.host))
    // Ends what streams over HTTP, which would keep the server open.
    closer.add(generations)
    closer.add(sockets)
    if (publicGraph) closer.add(publicGraph)
    const reload = (sdl: string) => {
      const next = load(sdl)
      publicGraph?.reload(sdl)
      generations.replace(next)
    }
    const admin = closer.add(await openFigures(options, metrics))
    return {
      port: listening.port,
      metricsPort: admin.port,
      reload,
      reloadCommitted() {
        try {
          const next = committed('supergraph.graphql')
          if (sha256Of(next) !== generations.current().sha256) reload(next)
        } catch (error) {
          log.error({ err: error }, 'the supergraph was not loaded; the one in use stays')
        }
      },
      close: () => closer.close(),
    }
  })
}

/** The operator's port, when there is one. */
async function openFigures(
  { metricsPort: port, host }: GatewayOptions,
  { registry: metrics }: GatewayMetrics,
): Promise<{ port: number | null; close(): Promise<void> }> {
  if (port === undefined) return { port: null, close: async () => undefined }
  const notReady = () => null
  return openAdminServer({ port, ...(host === undefined ? {} : { host }), metrics, notReady })
}

/** A generated file of the schema package, as it is committed. */
function committed(name: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`@sluice/schema/${name}`), 'utf8')
}

/** `__Host-` cookies need https; on a laptop the console has none. */
function refreshCookieNameOf(consoleOrigin: string): string {
  return consoleOrigin.startsWith('https:') ? '__Host-sluice_refresh' : 'sluice_refresh'
}
