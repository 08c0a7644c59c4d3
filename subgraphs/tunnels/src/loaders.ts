import type { EntityManager } from '@sluice/kit/database'
import { may, organizationIdsOf, type Principal } from '@sluice/kit/principal'
import { isUuid } from '@sluice/kit/uuid'
import { SluiceError } from '@sluice/schema/errors'
import DataLoader from 'dataloader'

import type { Parts } from './context.ts'
import { Organization } from './organization/organization.entity.ts'
import { Relay } from './relay/relay.entity.ts'
import { readBody, type BodySide } from './request/captured-body.ts'
import { CapturedRequest } from './request/captured-request.entity.ts'
import { loadRequestPages, type RequestPageKey } from './request/request-log.ts'
import { loadSuspensions, type TunnelSuspension } from './suspension/suspended-host.ts'
import { loadLive, type Live } from './tunnel/live-status.ts'
import { loadTunnelPages, type TunnelPageKey } from './tunnel/tunnel-list.ts'
import { Tunnel } from './tunnel/tunnel.entity.ts'

/** Bodies that one request of the graph may read: a list is for metadata. */
const bodiesMax = 20

interface BodyKey {
  readonly request: { id: string; organizationId: string; startedAt: Date | string }
  readonly side: BodySide
}

/** Reads that many fields of one request share: each loader sends one statement per turn. */
export interface Loaders {
  /** A tunnel that the principal may see, also a deleted one: the request log still points to it. */
  readonly tunnel: DataLoader<string, Tunnel | null>
  /** The session that serves a tunnel now, or null. */
  readonly live: DataLoader<string, Live | null>
  readonly relays: () => Promise<Relay[]>
  /** Why a tunnel is not served, or null. */
  readonly suspension: DataLoader<string, TunnelSuspension | null>
  /** Whether staff has suspended an organization of the principal. */
  readonly isSuspended: DataLoader<string, boolean>
  readonly capturedRequest: DataLoader<string, CapturedRequest | null>
  /** A stored body; null when it is gone. One request of the graph reads at most `bodiesMax`. */
  readonly body: DataLoader<BodyKey, Buffer | null, string>
  readonly tunnelPage: DataLoader<TunnelPageKey, Tunnel[], string>
  readonly requestPage: DataLoader<RequestPageKey, CapturedRequest[], string>
}

export function createLoaders(em: EntityManager, principal: Principal, parts: Parts): Loaders {
  const mayReadTunnels = (id: string) => may(principal, id, 'tunnels.read')
  const mayReadRequests = (id: string) => may(principal, id, 'requests.read')
  const readable = organizationIdsOf(principal).filter(mayReadRequests)
  let bodies = 0
  let relays: Promise<Relay[]> | null = null
  return {
    tunnel: new DataLoader(async (ids) => {
      const found = await em.find(Tunnel, { id: { $in: ids.filter(isUuid) } })
      const seen = found.filter((one) => mayReadTunnels(one.organizationId))
      return inOrder(ids, seen)
    }),
    live: new DataLoader((ids) => loadLive(em, parts, ids)),
    suspension: new DataLoader(async (ids) => {
      const found = await loadSuspensions(parts, ids)
      return ids.map((id) => found.get(id) ?? null)
    }),
    isSuspended: new DataLoader(async (organizationIds) => {
      const found = await em.find(Organization, {
        organizationId: { $in: [...organizationIds] },
        suspendedAt: { $ne: null },
      })
      const suspended = new Set(found.map(({ organizationId }) => organizationId))
      return organizationIds.map((id) => suspended.has(id))
    }),
    relays: () => (relays ??= em.find(Relay, {}, { orderBy: { id: 'asc' } })),
    capturedRequest: new DataLoader(async (ids) => {
      const found = await em.find(CapturedRequest, { id: { $in: ids.filter(isUuid) } })
      const seen = found.filter((one) => mayReadRequests(one.organizationId))
      return inOrder(ids, seen)
    }),
    body: new DataLoader(
      async (keys) => {
        bodies += keys.length
        if (bodies > bodiesMax) {
          const reason = `One request reads at most ${bodiesMax} bodies.`
          throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
        }
        return Promise.all(keys.map(({ request, side }) => readBody(parts.objects, request, side)))
      },
      { cacheKeyFn: ({ request, side }) => `${request.id}.${side}` },
    ),
    tunnelPage: new DataLoader((keys) => loadTunnelPages(em, keys), {
      cacheKeyFn: (key) => JSON.stringify(key),
    }),
    requestPage: new DataLoader((keys) => loadRequestPages(em, readable, keys), {
      cacheKeyFn: (key) => JSON.stringify(key),
    }),
  }
}

function inOrder<T extends { id: string }>(ids: readonly string[], found: T[]): (T | null)[] {
  const byId = new Map(found.map((one) => [one.id, one]))
  return ids.map((id) => byId.get(id) ?? null)
}
