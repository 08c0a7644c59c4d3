import type { Attempts } from '@sluice/kit/attempts'
import { forkFor, type EntityManager, type Orm } from '@sluice/kit/database'
import type { Log } from '@sluice/kit/log'
import type { ObjectStore } from '@sluice/kit/object-store'
import type { Principal } from '@sluice/kit/principal'
import type { ChannelHub } from '@sluice/kit/redis'
import type { Sealer } from '@sluice/kit/sealer'
import type { SigningKeys } from '@sluice/kit/signing-keys'
import type { Redis } from 'ioredis'

import { createLoaders, type Loaders } from './loaders.ts'
import type { EdgeAssignment } from './relay/assign-edges.ts'

/** Where visitors reach tunnels, when the operator says so instead of the relays. */
export interface PublicTunnelUrls {
  /** Scheme, apex and port, such as `http://tunnel.localhost:8080`. Without it the relays' own holds. */
  http?: string | undefined
  /** Named beside the first when TLS is served. */
  https?: string | undefined
}

/** Public ports that tunnels may have; both ends belong to it. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface TunnelPorts {
  /** Undefined: no such tunnels on this server. */
  readonly tcp?: PortRange | undefined
  readonly udp?: PortRange | undefined
  /** Plans are not asked: for a server of one's own. */
  readonly forAllPlans?: boolean
}

/** How webhooks are sent, and their secrets kept. */
export interface WebhookSettings {
  /** Undefined: there are no webhooks on this server. */
  readonly sealer: Sealer | undefined
  /** Endpoints may be on private networks, and without TLS: for development. */
  readonly allowPrivate: boolean
}

/** What the process opened once and every request shares. */
export interface Parts {
  readonly orm: Orm
  readonly redis: Redis
  /** Counts who starts and makes tunnels. */
  readonly attempts: Attempts
  readonly hub: ChannelHub
  /** Undefined: bodies are not kept. */
  readonly objects: ObjectStore | undefined
  readonly keys: SigningKeys
  readonly publicTunnelUrls: PublicTunnelUrls
  readonly tunnelPorts: TunnelPorts
  readonly edgeAssignment: EdgeAssignment
  readonly webhooks: WebhookSettings
  readonly now: () => Date
  readonly log: Log
  /** Publishes what the outbox holds at once instead of at the next look. */
  readonly wakeOutbox: () => void
}

/** One request, or one event of a subscription. */
export interface Context {
  readonly principal: Principal
  /** Where the call came from; empty when nobody said. */
  readonly visitorIp: string
  /** Sees the rows of the principal's organizations only. */
  readonly em: EntityManager
  readonly load: Loaders
  readonly parts: Parts
}

export function createContext(parts: Parts, principal: Principal, visitorIp = ''): Context {
  const em = forkFor(parts.orm, principal)
  return { principal, visitorIp, em, parts, load: createLoaders(em, principal, parts) }
}
