import { createAttempts } from '@sluice/kit/attempts'
import { databaseNotReady, forkSystem, migrate, openOrm } from '@sluice/kit/database'
import { openForgeryReports } from '@sluice/kit/forgeries'
import { openInbox } from '@sluice/kit/inbox'
import { createInternalVerifier } from '@sluice/kit/internal-token'
import { openKeyRing, signingKeyEvents } from '@sluice/kit/key-ring'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { openObjectStore, type ObjectStoreSettings } from '@sluice/kit/object-store'
import { openOutboxPublisher } from '@sluice/kit/outbox'
import { personExportRoute } from '@sluice/kit/person-export'
import { openChannelHub, openRedis } from '@sluice/kit/redis'
import { createRestRoutes } from '@sluice/kit/rest'
import type { SealingKey } from '@sluice/kit/sealer'
import type { PrivateJwks } from '@sluice/kit/signing-keys'
import { openSubgraph } from '@sluice/kit/subgraph'
import type { JSONWebKeySet } from 'jose'

import { createContext, type Parts, type PublicTunnelUrls, type TunnelPorts } from './context.ts'
import { domainEvents } from './domain/attached-domain.ts'
import { organizationEvents } from './organization/organization.ts'
import { database } from './orm.ts'
import { evenly, type EdgeAssignment } from './relay/assign-edges.ts'
import { schema } from './schema.ts'
import { openClosedHostTelling, suspensionEvents } from './suspension/closed-hosts.ts'
import { openEndpointHosts } from './tunnel/endpoint-hosts.ts'
import { exportTunnels } from './tunnel/export-tunnels.ts'
import { resealPolicies } from './tunnel/policy-secret.ts'
import { openChangeTelling } from './tunnel/tell-changes.ts'
import { webhookEventsOf } from './webhook/tell-webhooks.ts'
import { resealSecrets, sealerOf } from './webhook/webhook-secret.ts'

export interface TunnelsOptions {
  databaseUrl: string
  redisUrl: string
  /** Private keys that sign agent tokens, the signing one first. Relays know the public halves from identity. */
  signingJwks: PrivateJwks
  /** Keys that sign the gateway's internal header. */
  internalPublicJwks: JSONWebKeySet
  /** Where captured bodies are; undefined: none are read. */
  objectStore?: ObjectStoreSettings | undefined
  port: number
  host?: string
  log: Log
  publicTunnelUrls?: PublicTunnelUrls
  tunnelPorts?: TunnelPorts
  /** They seal the secrets of webhooks; undefined: there are no webhooks. */
  webhookKeys?: readonly SealingKey[] | undefined
  /** Webhook endpoints may be on private networks: for development. */
  allowPrivateWebhooks?: boolean | undefined
  edgeAssignment?: EdgeAssignment
  now?: () => Date
}

/** The tunnels subgraph. Brings its tables up to date before it listens. */
export function createServer(
  options: TunnelsOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { databaseUrl, redisUrl, log, now = () => new Date() } = options
  return opening(async (closer) => {
    const orm = await openOrm({ ...database, databaseUrl })
    closer.defer(() => orm.close(true))
    await migrate(orm, database.schema)
    const keys = closer.add(await openKeyRing({ orm, roots: options.signingJwks, now, log }))
    const sealer = sealerOf(options.webhookKeys)
    if (sealer) {
      const endpoints = await resealSecrets(() => forkSystem(orm), sealer)
      const resealed = endpoints + (await resealPolicies(orm, sealer))
      if (resealed > 0)
        log.info({ resealed }, 'secrets of webhooks were sealed with the current key')
    }
    const redis = openRedis(redisUrl, log)
    closer.defer(() => redis.disconnect())
    const hub = closer.add(openChannelHub(redisUrl, log))
    const objects = options.objectStore && closer.add(await openObjectStore(options.objectStore))
    const outbox = closer.add(openOutboxPublisher({ orm, redis, source: database.schema, log }))
    const hosts = closer.add(openEndpointHosts({ orm, redis, log }))
    const changes = closer.add(openChangeTelling({ orm, redis, log }))
    const closedHosts = closer.add(openClosedHostTelling({ redis, log }))
    const handlers = {
      ...organizationEvents(
        (organizationId) => changes.changed(organizationId),
        () => hosts.changed(),
      ),
      ...domainEvents((organizationId) => {
        hosts.changed()
        changes.changed(organizationId)
      }),
      ...suspensionEvents(() => closedHosts.changed()),
      ...webhookEventsOf(now),
      ...signingKeyEvents(),
    }
    closer.add(openInbox({ orm, redisUrl, consumer: database.schema, handlers, log }))

    const parts: Parts = {
      orm,
      redis,
      attempts: createAttempts(redis, log),
      hub,
      objects,
      keys,
      now,
      log,
      publicTunnelUrls: options.publicTunnelUrls ?? {},
      tunnelPorts: options.tunnelPorts ?? {},
      edgeAssignment: options.edgeAssignment ?? evenly,
      webhooks: {
        sealer,
        allowPrivate: options.allowPrivateWebhooks ?? false,
      },
      wakeOutbox: () => outbox.wake(),
    }
    const forgeries = closer.add(openForgeryReports({ redis, part: 'tunnels', log }))
    const onForged = (ip: string) => forgeries.note('internal header', ip)
    const { port } = closer.add(
      await openSubgraph({
        name: 'tunnels',
        schema,
        context: ({ principal, visitorIp }) => createContext(parts, principal, visitorIp),
        internalPublicJwks: options.internalPublicJwks,
        onForged,
        route: createRestRoutes({
          verify: createInternalVerifier(options.internalPublicJwks, 'tunnels', { onForged }),
          routes: [personExportRoute(orm, exportTunnels)],
        }),
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        log,
        notReady: () => databaseNotReady(orm),
      }),
    )
    return { port, close: () => closer.close() }
  })
}
