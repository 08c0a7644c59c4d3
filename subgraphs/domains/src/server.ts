import { databaseNotReady, forkFor, migrate, openOrm } from '@sluice/kit/database'
import { openInbox } from '@sluice/kit/inbox'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { openOutboxPublisher } from '@sluice/kit/outbox'
import { openRedis } from '@sluice/kit/redis'
import { openSubgraph, type Caller } from '@sluice/kit/subgraph'
import type { JSONWebKeySet } from 'jose'

import type { Context } from './context.ts'
import { checkDns, openResolver } from './domain/dns-check.ts'
import { createLoaders } from './domain/loaders.ts'
import { incomingEvents } from './incoming-events.ts'
import { database } from './orm.ts'
import { schema } from './schema.ts'

export interface DomainsOptions {
  databaseUrl: string
  redisUrl: string
  /** Keys that sign the gateway's internal header. */
  internalPublicJwks: JSONWebKeySet
  port: number
  host?: string
  log: Log
  /** The name of the relays that a custom domain's CNAME must lead to. */
  cnameTarget: string
  /** Names of this Sluice server (tunnel apex, console host): they and what is below cannot be custom domains. */
  ownApexes: string[]
  /** DNS servers to ask, as `address` or `address:port`. Without them those of the system. */
  dnsServers?: string[] | undefined
}

/** The domains subgraph. Brings its tables up to date before it listens. */
export async function createServer(
  options: DomainsOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { databaseUrl, redisUrl, log, dnsServers } = options
  const settings = {
    cnameTarget: options.cnameTarget.toLowerCase(),
    ownApexes: options.ownApexes.map((apex) => apex.toLowerCase()),
  }
  openResolver({ dnsServers }) // A wrong address fails here, not at the first check.
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

    const contextOf = ({ principal, signal }: Caller): Context => {
      const em = forkFor(orm, principal)
      return {
        principal,
        em,
        settings,
        checkDns: ({ domain, token }) =>
          checkDns({ domain, token, cnameTarget: settings.cnameTarget }, { dnsServers }, signal),
        loaders: createLoaders(em, principal),
      }
    }
    const { port } = closer.add(
      await openSubgraph({
        name: 'domains',
        schema,
        context: contextOf,
        internalPublicJwks: options.internalPublicJwks,
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        log,
        notReady: () => databaseNotReady(orm),
      }),
    )
    return { port, close: () => closer.close() }
  })
}
