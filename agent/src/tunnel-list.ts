import { SluiceError } from '@sluice/schema/errors'
import { cliOperations } from '@sluice/schema/operations/cli'

import type { Api } from './api.ts'

const pageTunnels = 100
/** An organization with more than this many tunnels is listed in the console. */
const pagesMax = 50

export interface ListedTunnel {
  readonly id: string
  readonly name: string
  readonly endpointHost: string
  readonly urls: readonly string[]
  readonly status: 'ONLINE' | 'OFFLINE' | 'STOPPED' | 'DELETED'
  readonly region: string
  readonly createdAt: string
  readonly startedAt: string | null
  readonly onlineSince: string | null
  readonly connections: number
}

interface TunnelsAnswer {
  viewer: {
    organization: {
      id: string
      name: string
      tunnels: {
        nodes: ListedTunnel[]
        pageInfo: { hasNextPage: boolean; endCursor: string | null }
      } | null
    } | null
  }
}

/** Every tunnel of the organization, page by page as they are asked for. */
export async function* listTunnels(api: Api): AsyncGenerator<ListedTunnel> {
  let after: string | null = null
  for (let page = 0; page < pagesMax; page += 1) {
    const answer: TunnelsAnswer = await api.query<TunnelsAnswer>(cliOperations.tunnels, {
      first: pageTunnels,
      after,
    })
    const { organization } = answer.viewer
    if (!organization) throw new SluiceError('SLUICE_ORGANIZATION_NOT_FOUND')
    const { tunnels } = organization
    // Null without a reason is how the graph hides what the scopes do not allow.
    if (!tunnels) throw new SluiceError('SLUICE_FORBIDDEN')
    yield* tunnels.nodes
    if (!tunnels.pageInfo.hasNextPage || tunnels.pageInfo.endCursor === null) return
    after = tunnels.pageInfo.endCursor
  }
}

/** The tunnel of this name. */
export async function findTunnel(api: Api, name: string): Promise<ListedTunnel> {
  for await (const tunnel of listTunnels(api)) if (tunnel.name === name) return tunnel
  throw new SluiceError('SLUICE_TUNNEL_NOT_FOUND')
}
