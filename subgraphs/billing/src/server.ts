import { databaseNotReady, forkFor, forkSystem, migrate, openOrm } from '@sluice/kit/database'
import { openForgeryReports } from '@sluice/kit/forgeries'
import { openInbox } from '@sluice/kit/inbox'
import { createInternalVerifier } from '@sluice/kit/internal-token'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { openOutboxPublisher } from '@sluice/kit/outbox'
import { personExportRoute } from '@sluice/kit/person-export'
import { openRedis } from '@sluice/kit/redis'
import { createRestRoutes } from '@sluice/kit/rest'
import { openSubgraph, type Caller } from '@sluice/kit/subgraph'
import type { JSONWebKeySet } from 'jose'

import type { Context } from './context.ts'
import { incomingEvents } from './incoming-events.ts'
import { createLoaders } from './loaders.ts'
import { database } from './orm.ts'
import { exportPlans } from './plan/export-plans.ts'
import { schema } from './schema.ts'

export interface BillingOptions {
  databaseUrl: string
  redisUrl: string
  /** Keys that sign the gateway's internal header. */
  internalPublicJwks: JSONWebKeySet
  port: number
  host?: string
  log: Log
  now?: () => Date
}

/** The billing subgraph. Brings its tables up to date before it listens. */
export async function createServer(
  options: BillingOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { databaseUrl, redisUrl, log, now = () => new Date() } = options
  return opening(async (closer) => {
    const orm = await openOrm({ ...database, databaseUrl })
    closer.defer(() => orm.close(true))
    await migrate(orm, database.schema)
    const redis = openRedis(redisUrl, log)
    closer.defer(() => redis.disconnect())
    closer.add(openOutboxPublisher({ orm, redis, source: database.schema, log }))
    closer.add(
      openInbox({ orm, redisUrl, consumer: database.schema, handlers: incomingEvents, log }),
    )

    const systemEm = () => forkSystem(orm)
    const contextOf = ({ principal, visitorIp }: Caller): Context => {
      const em = forkFor(orm, principal)
      const loaders = createLoaders(em, systemEm, now)
      return { principal, visitorIp, em, systemEm, now, loaders }
    }
    const forgeries = closer.add(openForgeryReports({ redis, part: 'billing', log }))
    const onForged = (ip: string) => forgeries.note('internal header', ip)
    const { port } = closer.add(
      await openSubgraph({
        name: 'billing',
        schema,
        context: contextOf,
        internalPublicJwks: options.internalPublicJwks,
        onForged,
        route: createRestRoutes({
          verify: createInternalVerifier(options.internalPublicJwks, 'billing', { onForged }),
          routes: [personExportRoute(orm, exportPlans)],
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
