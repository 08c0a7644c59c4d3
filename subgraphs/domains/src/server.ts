import { createAttempts } from '@sluice/kit/attempts'
import { databaseNotReady, forkFor, forkSystem, migrate, openOrm } from '@sluice/kit/database'
import { openResolver } from '@sluice/kit/dns-proof'
import { openForgeryReports } from '@sluice/kit/forgeries'
import { openInbox } from '@sluice/kit/inbox'
import { createInternalVerifier } from '@sluice/kit/internal-token'
import { opening } from '@sluice/kit/lifecycle'
import type { Log } from '@sluice/kit/log'
import { openOutboxPublisher } from '@sluice/kit/outbox'
import { personExportRoute } from '@sluice/kit/person-export'
import { openRedis } from '@sluice/kit/redis'
import { createRestRoutes } from '@sluice/kit/rest'
import { Sealer, type SealingKey } from '@sluice/kit/sealer'
import { openSubgraph, type Caller } from '@sluice/kit/subgraph'
import type { JSONWebKeySet } from 'jose'

import { announceCertificate } from './certificate/announce-certificate.ts'
import { resealPrivateKeys } from './certificate/certificate.ts'
import type { Context } from './context.ts'
import { checkDns } from './domain/dns-check.ts'
import { exportDomains } from './domain/export-domains.ts'
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
  /** Keys that seal the private keys of certificates: the first seals, all open. Without them none are kept. */
  sealingKeys?: SealingKey[] | undefined
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
    const sealer = sealerOf(options.sealingKeys ?? [])
    const system = () => forkSystem(orm)
    if (sealer) {
      const { resealed, failed } = await resealPrivateKeys(system, sealer)
      if (resealed > 0) log.info({ resealed }, 'private keys were sealed with the current key')
      if (failed > 0) log.error({ failed }, 'private keys cannot be opened with any key given')
    }
    const redis = openRedis(redisUrl, log)
    closer.defer(() => redis.disconnect())
    closer.add(openOutboxPublisher({ orm, redis, source: database.schema, log }))
    closer.add(
      openInbox({ orm, redisUrl, consumer: database.schema, handlers: incomingEvents, log }),
    )

    const attempts = createAttempts(redis, log)
    const contextOf = ({ principal, visitorIp, signal }: Caller): Context => {
      const em = forkFor(orm, principal)
      return {
        principal,
        visitorIp,
        em,
        settings,
        attempts,
        checkDns: ({ domain, token }) =>
          checkDns({ domain, token, cnameTarget: settings.cnameTarget }, { dnsServers }, signal),
        loaders: createLoaders(em, principal),
        sealer,
        system,
        announceCertificate: (domain) => announceCertificate({ redis, log }, domain),
        log,
      }
    }
    const forgeries = closer.add(openForgeryReports({ redis, part: 'domains', log }))
    const onForged = (ip: string) => forgeries.note('internal header', ip)
    const { port } = closer.add(
      await openSubgraph({
        name: 'domains',
        schema,
        context: contextOf,
        internalPublicJwks: options.internalPublicJwks,
        onForged,
        route: createRestRoutes({
          verify: createInternalVerifier(options.internalPublicJwks, 'domains', { onForged }),
          routes: [personExportRoute(orm, exportDomains)],
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

function sealerOf([first, ...others]: readonly SealingKey[]): Sealer | undefined {
  return first && new Sealer([first, ...others])
}
