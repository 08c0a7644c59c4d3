import type { Options } from '@mikro-orm/postgresql'
import { Redis } from 'ioredis'
import { Client } from 'pg'

import { migrate, openOrm, type Orm } from './database.ts'
import { anonymous, type Principal, type Role } from './principal.ts'

/** A database of its own, migrated, dropped on dispose. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly orm: Orm
  /** SQL statements sent since the last call. */
  takeStatements(): string[]
}

/** Creates a database on the server at `serverUrl` (`inject('databaseUrl')`) with a subgraph's schema in it. */
export async function openDatabase(options: {
  serverUrl: string
  schema: string
  entities: NonNullable<Options['entities']>
  migrationsPath: string
}): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
  await onServer(options.serverUrl, `create database ${name}`)
  const url = new URL(options.serverUrl)
  url.pathname = `/${name}`
  const orm = await openOrm({ ...options, databaseUrl: url.href })
  await migrate(orm, options.schema)
  const statements: string[] = []
  orm.config.getLogger().setDebugMode(['query'])
  orm.config.getLogger().logQuery = (context) => void statements.push(context.query ?? '')
  return {
    url: url.href,
    orm,
    takeStatements: () => statements.splice(0),
    async [Symbol.asyncDispose]() {
      await orm.close(true)
      await onServer(options.serverUrl, `drop database ${name} with (force)`)
    },
  }
}

/** A Redis database of its own on the server at `serverUrl` (`inject('redisUrl')`). Channels are shared: use fresh ids. */
export async function openTestRedis(serverUrl: string): Promise<{ url: string } & AsyncDisposable> {
  const control = new Redis(serverUrl)
  const index = 1 + ((await control.incr('sluice:test:databases')) % 255)
  control.disconnect()
  const url = `${serverUrl}/${index}`
  const redis = new Redis(url)
  await redis.flushdb()
  return {
    url,
    async [Symbol.asyncDispose]() {
      await redis.flushdb()
      redis.disconnect()
    },
  }
}

/** A signed-in member of one organization. */
export function memberOf(
  organizationId: string,
  role: Role = 'OWNER',
  userId: string = crypto.randomUUID(),
): Principal {
  return {
    ...anonymous,
    kind: 'user',
    id: userId,
    userId,
    signInId: crypto.randomUUID(),
    memberships: [{ organizationId, role }],
  }
}

async function onServer(serverUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
