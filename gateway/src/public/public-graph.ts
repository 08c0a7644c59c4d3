import type { IncomingMessage, ServerResponse } from 'node:http'

import type { openRedis } from '@sluice/kit/redis'

import { createGeneration } from '../generation.ts'
import { createGenerations } from '../generations.ts'
import { createHttpDoor, type HttpDoorOptions } from '../http-door.ts'
import type { GatewayMetrics } from '../metrics.ts'
import { createOperations, type OperationsOptions } from '../operations.ts'
import { createSocketDoor, type SocketDoor } from '../socket-door.ts'
import { publicGraph } from './admission.ts'
import { createBudgets } from './budget.ts'
import { publicSupergraphOf } from './contract.ts'

export interface PublicGraph extends SocketDoor {
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Takes the contract of another supergraph into use; throws when it has none. */
  reload(supergraphSdl: string): void
}

/**
 * `/public/graphql`, the door of partners: the executor, subgraphs and checks of `/graphql` over the supergraph of the
 * contract, with documents, plans and budgets of its own. Null for a supergraph in which nothing is public.
 */
export function openPublicGraph(
  options: Omit<OperationsOptions, 'generations'> &
    Pick<HttpDoorOptions, 'authenticator' | 'isAllowedOrigin' | 'visitorIpOf'> & {
      supergraphSdl: string
      redis: ReturnType<typeof openRedis>
      metrics: GatewayMetrics
    },
): PublicGraph | null {
  const { limits, metrics, redis, log } = options

  const load = (supergraphSdl: string) => {
    const contract = publicSupergraphOf(supergraphSdl)
    if (contract === null) return null
    const onApollo = () => metrics.apolloRuns.inc()
    return createGeneration({ supergraphSdl: contract, manifest: {}, limits, onApollo })
  }
  const first = load(options.supergraphSdl)
  if (!first) return null
  const generations = createGenerations(first, limits.reloadDrainMs)
  const shared = {
    ...options,
    operations: createOperations({ ...options, generations }),
    admission: publicGraph(createBudgets({ redis, limits, log })),
    documents: 'any' as const,
  }
  const answer = createHttpDoor({ ...shared, refreshCookieName: null })
  const sockets = createSocketDoor(shared)
  return {
    answer,
    upgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    reload(supergraphSdl) {
      const next = load(supergraphSdl)
      if (!next) throw new Error('the supergraph has no public field')
      generations.replace(next)
    },
    async close() {
      generations.close()
      await sockets.close()
    },
  }
}
