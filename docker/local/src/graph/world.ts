import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

import { createServer as createBillingWorker } from '@sluice/billing-worker/server'
import { createServer as createBilling } from '@sluice/billing/server'
import { createServer as createDomains } from '@sluice/domains/server'
import { createServer as createGateway } from '@sluice/gateway/server'
import { createServer as createIdentity } from '@sluice/identity/server'
import { createServer as createInspectorWorker } from '@sluice/inspector-worker/server'
import type { SubgraphName } from '@sluice/kit/internal-token'
import { silentLog } from '@sluice/kit/log'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { generatePrivateJwks, publicJwksOf, type PrivateJwks } from '@sluice/kit/signing-keys'
import { openEmptyDatabase, openTestRedis } from '@sluice/kit/testing'
import { createServer as createTunnels } from '@sluice/tunnels/server'
import type { Redis } from 'ioredis'
import { inject } from 'vitest'

import { relayKeyHash } from '../secrets.ts'
import { openLiveClients, type LiveClients } from './live.ts'
import { openStatementLog, type StatementLog } from './statements.ts'

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

export interface Asking {
  token?: string | undefined
  cookie?: string
  ip?: string
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
export interface World extends LiveClients, AsyncDisposable {
  readonly origin: string
  readonly subgraphUrls: Readonly<Record<SubgraphName, string>>
  readonly internalJwks: PrivateJwks
  readonly redis: Redis
  readonly relayKey: string
  readonly firstAdmin: { email: string; password: string }
  readonly statements: StatementLog
  sql<Row extends object>(text: string, parameters?: unknown[]): Promise<Row[]>
  ask(query: string, variables?: Record<string, unknown>, as?: Asking): Promise<GraphAnswer>
  signUp(name: string): Promise<Person>
  /** Returns once somebody listens on the channel of Redis. */
  heard(channel: string): Promise<void>
  signInAdmin(): Promise<string>
  /** Ends one subgraph: its port answers nobody. */
  stop(name: SubgraphName): Promise<void>
  /** Starts it again where it was; tells the first admin's sign-in if it made one. */
  start(name: SubgraphName): Promise<{ email: string; password: string } | null>
}

export const password = 'correct horse battery'
export const signUpText =
  'mutation SignUpOfTest($input: SignUpInput!) { signUp(input: $input) { accessToken user { id memberships { organization { id } } } } }'
export const signInText =
  'mutation SignInOfTest($email: String!, $password: String!) { signIn(email: $email, password: $password) { accessToken } }'

let lastIp = 0

/** `documents` may be sent by the anonymous too, as if they were the console's. */
export async function openWorld(documents: readonly string[] = []): Promise<World> {
  await using disposer = new AsyncDisposableStack()
  const database = disposer.use(await openEmptyDatabase(inject('databaseUrl')))
  const statements = disposer.use(await openStatementLog(database.url))
  const { url: redisUrl } = disposer.use(await openTestRedis(inject('redisUrl')))
  const redis = disposer.adopt(openRedis(redisUrl, silentLog), (one) => one.disconnect())
  await redisReady(redis)
  const signingJwks = await generatePrivateJwks(2)
  const internalJwks = await generatePrivateJwks(1)
  const relayKey = `slrk_${randomBytes(32).toString('base64url')}`
  const consoleOrigin = 'http://localhost:4000'
  const log = silentLog

  const ports: Partial<Record<SubgraphName, number>> = {}
  const running = new Map<SubgraphName, { port: number; close(): Promise<void> }>()
  const open = (name: SubgraphName) => {
    const internalPublicJwks = publicJwksOf(internalJwks)
    const port = ports[name] ?? 0
    const common = { databaseUrl: statements.url, redisUrl, internalPublicJwks, port, log }
    if (name === 'identity') return createIdentity({ ...common, signingJwks, consoleOrigin })
    if (name === 'tunnels') return createTunnels({ ...common, signingJwks })
    if (name === 'billing') return createBilling(common)
    const cnameTarget = 'edge.tunnel.localhost'
    return createDomains({ ...common, cnameTarget, ownApexes: ['localhost'] })
  }
  const stop = async (name: SubgraphName) => {
    await running.get(name)?.close()
    running.delete(name)
  }
  const start: World['start'] = async (name) => {
    const server = await open(name)
    ports[name] = server.port
    running.set(name, server)
    return 'firstAdmin' in server ? server.firstAdmin : null
  }
  const names = ['identity', 'tunnels', 'domains', 'billing'] as const
  for (const name of names) disposer.defer(() => stop(name))
  const [firstAdmin] = await Promise.all(names.map((name) => start(name)))
  if (!firstAdmin) throw new TypeError('the first start made no admin')
  const urlOf = (name: SubgraphName) => `http://127.0.0.1:${ports[name]}`
  const subgraphUrls = {
    identity: urlOf('identity'),
    tunnels: urlOf('tunnels'),
    domains: urlOf('domains'),
    billing: urlOf('billing'),
  }
  const [gateway] = await Promise.all([
    createGateway({
      port: 0,
      manifest: manifestWith([signUpText, signInText, ...documents]),
      subgraphs: subgraphUrls,
      identityUrl: subgraphUrls.identity,
      internalSigningJwks: internalJwks,
      redisUrl,
      consoleOrigin,
      documents: 'any',
      relayKeyHashes: [relayKeyHash(relayKey)],
      // Each test person comes from an address of their own: sign-ups of one address are limited.
      trustedProxies: ['127.0.0.1'],
      log,
    }).then((server) => disposer.adopt(server, (one) => one.close())),
    createBillingWorker({ databaseUrl: database.url, redisUrl, port: 0, log, rollUpEveryMs: 200 })
      // oxfmt keeps these apart: each is closed before the subgraphs.
      .then((server) => disposer.adopt(server, (one) => one.close())),
    createInspectorWorker({ databaseUrl: database.url, redisUrl, port: 0, log }).then((server) =>
      disposer.adopt(server, (one) => one.close()),
    ),
  ])
  const origin = `http://127.0.0.1:${gateway.port}`
  const live = disposer.use(openLiveClients(`ws://127.0.0.1:${gateway.port}/graphql`))

  const ask: World['ask'] = async (query, variables = {}, { token, cookie, ip } = {}) => {
    const response = await fetch(`${origin}/graphql`, {
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
    subgraphUrls,
    internalJwks,
    redis,
    relayKey,
    firstAdmin,
    statements,
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
        cookie: answer.cookies[0]?.split(';')[0] ?? '',
      }
    },
    heard: (channel) =>
      eventually(async () => Number((await redis.pubsub('NUMSUB', channel))[1]) > 0),
    async signInAdmin() {
      const answer = await ask(signInText, { ...firstAdmin }, { ip: freshIp() })
      return answer.data.signIn.accessToken
    },
    stop,
    start,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
  const owned = disposer.move()
  return world
}

/** Asks until the answer is yes. Throws after `withinMs`. */
export async function eventually(
  ask: () => Promise<boolean> | boolean,
  withinMs = 10_000,
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
