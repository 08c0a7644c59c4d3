import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

import { createServer as createBillingWorker } from '@sluice/billing-worker/server'
import { createServer as createGateway } from '@sluice/gateway/server'
import { createServer as createInspectorWorker } from '@sluice/inspector-worker/server'
import type { SubgraphName } from '@sluice/kit/internal-token'
import { silentLog, type Log } from '@sluice/kit/log'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { withRowSecurity } from '@sluice/kit/row-security'
import { generatePrivateJwks, type PrivateJwks } from '@sluice/kit/signing-keys'
import { openEmptyDatabase, openTestRedis, type EmptyDatabase } from '@sluice/kit/testing'
import type { Redis } from 'ioredis'
import { inject } from 'vitest'

import { relayKeyHash } from '../secrets.ts'
import { openLiveClients, type LiveClients } from './live.ts'
import { openStatementLog, type StatementLog } from './statements.ts'
import { openSubgraphs, type Subgraphs } from './subgraphs.ts'

export interface GraphError {
  message: string
  path?: (string | number)[]
  extensions?: Record<string, unknown>
}

export interface GraphAnswer {
  status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- The shape is the query's; a test reads it as it wrote it.
  data: any
  errors: GraphError[] | undefined
  text: string
  cookies: string[]
}

interface Asking {
  token?: string | undefined
  cookie?: string
  ip?: string
  /** Another door of the gateway than `/graphql`. */
  path?: string
}

/** Somebody who signed up, with the organization they own. */
export interface Person {
  token: string
  userId: string
  email: string
  organizationId: string
  /** `name=value` of the refresh cookie. */
  cookie: string
}

/** Four subgraphs, gateway and two workers as in the platform, with PostgreSQL and Redis of their own. */
export interface World
  extends LiveClients, Pick<Subgraphs, 'stop' | 'start' | 'firstAdmin'>, AsyncDisposable {
  readonly origin: string
  readonly subgraphUrls: Readonly<Record<SubgraphName, string>>
  readonly internalJwks: PrivateJwks
  readonly redis: Redis
  readonly relayKey: string
  readonly statements: StatementLog
  /** As the parts are told of the database. */
  readonly databaseUrl: string
  sql<Row extends object>(text: string, parameters?: unknown[]): Promise<Row[]>
  ask(query: string, variables?: Record<string, unknown>, as?: Asking): Promise<GraphAnswer>
  signUp(name: string): Promise<Person>
  /** Returns once somebody listens on the channel of Redis. */
  heard(channel: string): Promise<void>
  isHeard(channel: string): Promise<boolean>
  signIn(email: string, withPassword?: string): Promise<{ token: string; cookie: string }>
  signInAdmin(): Promise<string>
}

export const password = 'correct horse battery'
const signUpText =
  'mutation SignUpOfTest($input: SignUpInput!) { signUp(input: $input) { accessToken user { id memberships { organization { id } } } } }'
export const signInText =
  'mutation SignInOfTest($email: String!, $password: String!) { signIn(email: $email, password: $password) { accessToken } }'

let lastIp = 0

/**
 * `documents` may be sent by the anonymous too, as if they were the console's. With `rowSecurity` PostgreSQL keeps
 * organizations apart as well, for parts that are no superuser.
 */
export async function openWorld(
  documents: readonly string[] = [],
  { rowSecurity = false, log = silentLog }: { rowSecurity?: boolean; log?: Log } = {},
): Promise<World> {
  await using disposer = new AsyncDisposableStack()
  const database = disposer.use(await openEmptyDatabase(inject('databaseUrl')))
  const databaseUrl = rowSecurity ? await securedUrl(database) : database.url
  const statements = disposer.use(await openStatementLog(databaseUrl))
  const { url: redisUrl } = disposer.use(await openTestRedis(inject('redisUrl')))
  const redis = disposer.adopt(openRedis(redisUrl, silentLog), (one) => one.disconnect())
  await redisReady(redis)
  const internalJwks = await generatePrivateJwks(1)
  const relayKey = `slrk_${randomBytes(32).toString('base64url')}`
  const consoleOrigin = 'http://localhost:4000'
  const webhookKeys = [{ id: 'test', key: randomBytes(32) }]
  const subgraphs = disposer.use(
    await openSubgraphs({
      databaseUrl: statements.url,
      redisUrl,
      internalJwks,
      consoleOrigin,
      webhookKeys,
      log,
    }),
  )
  const [gateway] = await Promise.all([
    createGateway({
      port: 0,
      manifest: manifestWith([signUpText, signInText, ...documents]),
      subgraphs: subgraphs.urls,
      identityUrl: subgraphs.urls.identity,
      internalSigningJwks: internalJwks,
      redisUrl,
      consoleOrigin,
      documents: 'any',
      relayKeyHashes: [relayKeyHash(relayKey)],
      // Each test person comes from an address of their own: sign-ups of one address are limited.
      trustedProxies: ['127.0.0.1'],
      log,
    }).then((server) => disposer.adopt(server, (one) => one.close())),
    createBillingWorker({
      databaseUrl,
      redisUrl,
      port: 0,
      log,
      rollUpEveryMs: 200,
    }).then((server) => disposer.adopt(server, (one) => one.close())),
    createInspectorWorker({
      databaseUrl,
      redisUrl,
      webhookKeys,
      allowPrivateWebhooks: true,
      port: 0,
      log,
    }).then((server) => disposer.adopt(server, (one) => one.close())),
  ])
  const { firstAdmin } = subgraphs
  const origin = `http://127.0.0.1:${gateway.port}`
  const live = disposer.use(openLiveClients(`ws://127.0.0.1:${gateway.port}/graphql`))

  const ask: World['ask'] = async (query, variables = {}, asking = {}) => {
    const { token, cookie, ip, path = '/graphql' } = asking
    const response = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie }),
        ...(ip === undefined ? {} : { 'x-forwarded-for': ip }),
      },
      body: JSON.stringify({ query, variables }),
    })
    const text = await response.text()
    const { data, errors } = JSON.parse(text) as Pick<GraphAnswer, 'data' | 'errors'>
    return { status: response.status, data, errors, text, cookies: response.headers.getSetCookie() }
  }

  const world: World = {
    follow: (...following) => live.follow(...following),
    origin,
    subgraphUrls: subgraphs.urls,
    internalJwks,
    redis,
    relayKey,
    firstAdmin,
    statements,
    databaseUrl,
    sql: (text, parameters) => database.query(text, parameters),
    ask,
    async signUp(name) {
      const email = `${name}-${randomBytes(4).toString('hex')}@example.test`
      const answer = await ask(signUpText, { input: { email, password, name } }, { ip: freshIp() })
      if (answer.errors) throw new TypeError(answer.text)
      const { accessToken, user } = answer.data.signUp
      return {
        token: accessToken,
        userId: user.id,
        email,
        organizationId: user.memberships[0].organization.id,
        cookie: cookieOf(answer),
      }
    },
    heard: (channel) => eventually(() => world.isHeard(channel)),
    isHeard: async (channel) => Number((await redis.pubsub('NUMSUB', channel))[1]) > 0,
    async signIn(email, withPassword = password) {
      const variables = { email, password: withPassword }
      const answer = await ask(signInText, variables, { ip: freshIp() })
      if (answer.errors) throw new TypeError(answer.text)
      return { token: answer.data.signIn.accessToken, cookie: cookieOf(answer) }
    },
    async signInAdmin() {
      return (await world.signIn(firstAdmin.email, firstAdmin.password)).token
    },
    stop: (name) => subgraphs.stop(name),
    start: (name) => subgraphs.start(name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
  const owned = disposer.move()
  return world
}

/** The database for a role of its own, as operators make one. */
async function securedUrl(database: EmptyDatabase): Promise<string> {
  const role = `role_${randomBytes(8).toString('hex')}`
  const own = new URL(database.url)
  await database.query(`create role ${role} login password 'secret'`)
  await database.query(`alter database ${own.pathname.slice(1)} owner to ${role}`)
  own.username = role
  own.password = 'secret'
  return withRowSecurity(own.href)
}

/** The refresh cookie of an answer, as a browser sends it back. */
export function cookieOf({ cookies }: Pick<GraphAnswer, 'cookies'>): string {
  return cookies[0]?.split(';')[0] ?? ''
}

/** Asks until the answer is yes. Throws after `withinMs`. */
export async function eventually(
  ask: () => Promise<boolean> | boolean,
  withinMs = 15_000,
): Promise<void> {
  const endsAt = performance.now() + withinMs
  while (!(await ask())) {
    if (performance.now() > endsAt) throw new TypeError(`not within ${withinMs} ms: ${String(ask)}`)
    await sleep(20)
  }
}

/** An address that nobody has used in this process. */
export function freshIp(): string {
  lastIp += 1
  return `198.18.${Math.trunc(lastIp / 256)}.${lastIp % 256}`
}

/** The code of the first error. */
export function codeOf({ errors }: { errors?: readonly GraphError[] | undefined }): unknown {
  return errors?.[0]?.extensions?.['code']
}

function manifestWith(documents: readonly string[]) {
  const path = createRequire(import.meta.url).resolve('@sluice/schema/operations/manifest.json')
  const committed = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    { name: string; text: string }
  >
  const added = documents.map((text) => {
    const id = createHash('sha256').update(text).digest('hex')
    return [id, { name: 'OfTest', text }] as const
  })
  return { ...committed, ...Object.fromEntries(added) }
}
