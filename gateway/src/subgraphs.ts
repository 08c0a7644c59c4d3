import type { InternalSigner, SubgraphName } from '@sluice/kit/internal-token'
import type { Log } from '@sluice/kit/log'

import type { Source, Sources } from './executor/fetch.ts'
import { openHttpPool, type HttpPool } from './http-pool.ts'
import { InFlight } from './in-flight.ts'
import type { Limits } from './limits.ts'
import type { GatewayMetrics } from './metrics.ts'
import { createSource, type SubgraphAnswer } from './subgraph-source.ts'
import { openUpstream, type Upstream } from './upstream.ts'

export interface Subgraphs {
  readonly sources: Sources
  readonly upstreams: Readonly<Record<SubgraphName, Upstream>>
  close(): Promise<void>
}

/** The gateway's connections to the subgraphs: for each one pool for queries and one socket for subscriptions. */
export function openSubgraphs(options: {
  urls: Readonly<Record<SubgraphName, string>>
  signer: InternalSigner
  limits: Limits
  metrics: GatewayMetrics
  log: Log
}): Subgraphs {
  const { signer, limits, metrics, log } = options
  const inFlight = new InFlight<SubgraphAnswer>()
  const pools: HttpPool[] = []
  const sources: Record<string, Source> = {}
  const upstreams: Partial<Record<SubgraphName, Upstream>> = {}

  for (const [key, address] of Object.entries(options.urls)) {
    const name = key as SubgraphName
    const url = graphUrlOf(address)
    const pool = openHttpPool(url.origin, {
      timeoutMs: limits.subgraphTimeoutMs,
      bytesMax: limits.subgraphBytesMax,
      connectionsMax: limits.subgraphConnectionsMax,
    })
    pools.push(pool)
    const { pathname: path } = url
    sources[name] = createSource({ name, pool, path, signer, inFlight, metrics, log })
    upstreams[name] = openUpstream({
      url: url.href.replace(/^http/, 'ws'),
      limits,
      log: log.child({ subgraph: name }),
      onChange: (operations) => metrics.upstreams.set({ subgraph: name }, operations),
    })
  }

  return {
    sources,
    upstreams: upstreams as Record<SubgraphName, Upstream>,
    async close() {
      for (const upstream of Object.values(upstreams)) upstream.close()
      await Promise.all(pools.map((pool) => pool.close()))
    },
  }
}

function graphUrlOf(address: string): URL {
  const url = new URL(address)
  if (url.pathname === '/') url.pathname = '/graphql'
  return url
}
