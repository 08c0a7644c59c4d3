import type { Options } from '@mikro-orm/postgresql'
import {
  authtokenScopes,
  permissionsOfScopes,
  rolePermissions,
  type AuthtokenScope,
  type Role,
} from '@sluice/schema/permissions'
import { Redis } from 'ioredis'
import { Client, DatabaseError } from 'pg'

import { createTemplate, templateNameOf } from './database-template.ts'
import { openOrm, type Orm } from './database.ts'
import { anonymous, type Principal } from './principal.ts'

/** A database of its own, migrated, dropped on dispose. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly orm: Orm
  /** SQL statements sent since the last call. */
  takeStatements(): string[]
}

interface TestDatabaseOptions {
  /** `inject('databaseUrl')`. */
  serverUrl: string
  schema: string
  entities: NonNullable<Options['entities']>
  migrationsPath: string
}

/** Creates a database with a subgraph's schema in it. */
export async function openDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const copy = await copyTemplate(options)
  const orm = await openOrm({ ...options, databaseUrl: copy.url })
  const statements: string[] = []
  orm.config.getLogger().setDebugMode(['query'])
  orm.config.getLogger().logQuery = (context) => void statements.push(context.query ?? '')
  return {
    url: copy.url,
    orm,
    takeStatements: () => statements.splice(0),
    async [Symbol.asyncDispose]() {
      await orm.close(true)
      await copy[Symbol.asyncDispose]()
    },
  }
}

/** What PostgreSQL says of a template that is not there. */
const noSuchDatabase = '3D000'

async function copyTemplate(options: TestDatabaseOptions): Promise<EmptyDatabase> {
  const { serverUrl } = options
  const template = templateNameOf(options)
  try {
    return await createDatabase(serverUrl, template)
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === noSuchDatabase)) throw error
  }
  await createTemplate(serverUrl, options)
  return createDatabase(serverUrl, template)
}

/** A database without tables, for parts that bring their own; dropped on dispose. */
export interface EmptyDatabase extends AsyncDisposable {
  readonly url: string
  query<Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]>
}

export function openEmptyDatabase(serverUrl: string): Promise<EmptyDatabase> {
  return createDatabase(serverUrl, 'template1')
}

async function createDatabase(serverUrl: string, template: string): Promise<EmptyDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
  // Files are copied as they are: writing them to the log first takes twice the time.
  await queryAt(serverUrl, `create database ${name} template ${template} strategy file_copy`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    query: (sql, parameters) => queryAt(url.href, sql, parameters),
    async [Symbol.asyncDispose]() {
      await queryAt(serverUrl, `drop database ${name} with (force)`)
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
    memberships: [membershipOf(organizationId, role)],
  }
}

export function membershipOf(organizationId: string, role: Role) {
  return { organizationId, role, permissions: rolePermissions[role] }
}

/** An authtoken of one organization. */
export function authtokenOf(
  organizationId: string,
  scopes: readonly AuthtokenScope[] = authtokenScopes,
  role: Role = 'DEVELOPER',
): Principal {
  const permissions = rolePermissions[role] & permissionsOfScopes(scopes)
  return {
    ...memberOf(organizationId, role),
    kind: 'authtoken',
    signInId: null,
    scopes: [...scopes],
    memberships: [{ organizationId, role, permissions }],
  }
}

/** One statement on a connection of its own. */
export async function queryAt<Row extends object>(
  url: string,
  sql: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Row>(sql, parameters)
    return rows
  } finally {
    await client.end()
  }
}
