import { Migrator } from '@mikro-orm/migrations'
import { DataloaderType, MikroORM, type EntityManager, type Options } from '@mikro-orm/postgresql'
import type { Pool, PoolClient } from 'pg'

import { organizationIdsOf, type Principal } from './principal.ts'
import { exposeRows, readDatabaseUrl, secureRows, sessionOf } from './row-security.ts'

export type { EntityManager } from '@mikro-orm/postgresql'
export type Orm = MikroORM & {
  /** Forks tell PostgreSQL whose rows they may see, and it shows no others. */
  readonly rowSecurity: boolean
}

export interface DatabaseOptions {
  databaseUrl: string
  /** The subgraph's own PostgreSQL schema. */
  schema: string
  entities: NonNullable<Options['entities']>
  /** Absolute folder of the migrations. */
  migrationsPath: string
  connectionsMax?: number
  /** Writes the snapshot that the next migration is made from. Only for making migrations. */
  snapshot?: boolean
  /** Tables that migrations make by hand: the entities are not compared with them. */
  skipTables?: RegExp[]
}

/** Statements are cut after this; a lock that takes longer is a bug or a pile-up. */
const statementTimeoutMs = 15_000
const lockTimeoutMs = 5_000
const connectTimeoutMs = 5_000
/** How long a replica waits for another one's migration. */
const migrationTimeoutMs = 120_000

/** Which rows a fork sees: those of these organizations, or every row for jobs and event consumers. */
type TenantScope = { all: true } | { all: false; organizationIds: string[] }

/**
 * On by default for every entity with an `organizationId`: the one place where the tenant is part of each query.
 * Without its parameters a query throws, so a forgotten scope fails closed.
 */
export const tenantFilter = {
  tenant: {
    name: 'tenant',
    default: true,
    cond: (scope: TenantScope | Record<string, never>) => {
      if (scope.all === true) return {}
      if (scope.all !== false)
        throw new Error('an entity manager without tenant scope: use forkFor or forkSystem')
      return { organizationId: { $in: scope.organizationIds } }
    },
  },
} as const

/** Connects lazily: a part starts while PostgreSQL is down and answers once it is back. */
export async function openOrm(options: DatabaseOptions): Promise<Orm> {
  const { databaseUrl, rowSecurity } = readDatabaseUrl(options.databaseUrl)
  const orm = await MikroORM.init(ormOptions({ ...options, databaseUrl }))
  return Object.assign(orm, { rowSecurity })
}

export function ormOptions(options: DatabaseOptions): Options {
  return {
    clientUrl: options.databaseUrl,
    schema: options.schema,
    entities: options.entities,
    extensions: [Migrator],
    dataloader: DataloaderType.ALL,
    ensureDatabase: false,
    pool: { min: 0, max: options.connectionsMax ?? 6, idleTimeoutMillis: 30_000 },
    driverOptions: {
      connectionTimeoutMillis: connectTimeoutMs,
      onPoolCreated: giveUpCutConnections,
      options: `-c statement_timeout=${statementTimeoutMs} -c lock_timeout=${lockTimeoutMs} -c idle_in_transaction_session_timeout=30000`,
    },
    schemaGenerator: { skipTables: options.skipTables ?? [] },
    migrations: {
      path: options.migrationsPath,
      tableName: 'migrations',
      emit: 'ts',
      snapshot: options.snapshot ?? false,
      snapshotName: '.snapshot',
      silent: true,
    },
  } as Options
}

/**
 * Kysely gives a transaction's connection back only after a rollback that worked, and on a connection that PostgreSQL
 * cut none does: each restart would use up places of the pool for good. So whatever breaks while it is held leaves
 * the pool at once, and giving it back later does nothing.
 */
function giveUpCutConnections(pool: Pool): void {
  const givers = new WeakMap<PoolClient, (error: Error) => void>()
  pool.on('acquire', (client) => {
    const giveUp = (error: Error) => {
      const release = client.release.bind(client)
      client.release = () => undefined
      release(error)
    }
    givers.set(client, giveUp)
    client.once('error', giveUp)
  })
  pool.on('release', (_error, client) => {
    const giveUp = givers.get(client)
    if (giveUp) client.off('error', giveUp)
  })
}

/** Brings the schema up to date. Replicas that start together wait for each other on an advisory lock. */
export async function migrate(orm: Orm, schema: string): Promise<void> {
  const em = orm.em.fork()
  await em.transactional(async (locked) => {
    // A first start, or a large table, takes its time: whoever waits here, or holds the lock meanwhile, is not cut.
    for (const name of ['lock_timeout', 'statement_timeout']) {
      await locked.execute(`set local ${name} = ${migrationTimeoutMs}`)
    }
    await locked.execute('set local idle_in_transaction_session_timeout = 0')
    await locked.execute(`select pg_advisory_xact_lock(hashtextextended(?, 0))`, [
      `sluice:migrate:${schema}`,
    ])
    await orm.em.fork().execute(`create schema if not exists "${schema}"`)
    // Migrations move rows of everybody; the code keeps organizations apart meanwhile, as it always does.
    const pending = await orm.migrator.getPending()
    if (pending.length > 0 || !orm.rowSecurity) await exposeRows(orm.em.fork(), schema)
    if (pending.length > 0) await orm.migrator.up()
    if (orm.rowSecurity) await secureRows(orm.em.fork(), schema)
  })
}

/** Why the database cannot be used at the moment, or null. */
export async function databaseNotReady(orm: Orm): Promise<string | null> {
  try {
    await orm.em.fork().execute('select 1')
    return null
  } catch {
    return 'PostgreSQL does not answer'
  }
}

/** One entity manager per request, seeing the rows of the principal's organizations only. */
export function forkFor(orm: Orm, principal: Principal, signal?: AbortSignal): EntityManager {
  const em = orm.em.fork(signal ? { signal } : {}) as EntityManager
  const organizationIds = organizationIdsOf(principal)
  em.setFilterParams('tenant', { all: false, organizationIds })
  if (orm.rowSecurity) em.setSessionContext(sessionOf(organizationIds))
  return em
}

/** For jobs, event consumers and rules that must see every organization: use with care and say why. */
export function forkSystem(orm: Orm): EntityManager {
  const em = orm.em.fork() as EntityManager
  em.setFilterParams('tenant', { all: true })
  if (orm.rowSecurity) em.setSessionContext(sessionOf('all'))
  return em
}
