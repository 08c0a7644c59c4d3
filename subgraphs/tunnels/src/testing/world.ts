import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createAttempts } from '@sluice/kit/attempts'
import { forkSystem } from '@sluice/kit/database'
import { silentLog } from '@sluice/kit/log'
import { openObjectStore } from '@sluice/kit/object-store'
import { anonymous, type Principal } from '@sluice/kit/principal'
import { openChannelHub, openRedis, redisReady } from '@sluice/kit/redis'
import { Sealer } from '@sluice/kit/sealer'
import { generatePrivateJwks, openSigningKeys } from '@sluice/kit/signing-keys'
import { memberOf, openDatabase, openTestRedis } from '@sluice/kit/testing'
import type { RequestRecord } from '@sluice/schema/redis'
// oxlint-disable-next-line no-restricted-imports -- The tests ask the graph as the server does, without HTTP.
import { graphql, parse, subscribe, type ExecutionResult } from 'graphql'
import { inject } from 'vitest'

import { createContext, type Context, type Parts } from '../context.ts'
import type { JobDeps } from '../job-deps.ts'
import { database } from '../orm.ts'
import { evenly } from '../relay/assign-edges.ts'
import { registerRelay } from '../relay/relay.ts'
import { schema } from '../schema.ts'

const signingJwks = await generatePrivateJwks(1)
const sealingKey = { id: 'test', key: randomBytes(32) }
const sealer = new Sealer([sealingKey])

/** The longest wait for what happens by itself; machines that run tests are busy. */
export const waitMs = 10_000

export const relayPrincipal: Principal = { ...anonymous, kind: 'relay', id: 'relay-key' }

/** The subgraph's parts on a database and a Redis of their own, with two organizations that know nothing of each other. */
export async function openWorld() {
  const stack = new AsyncDisposableStack()
  const db = stack.use(await openDatabase({ serverUrl: inject('databaseUrl'), ...database }))
  const { url: redisUrl } = stack.use(await openTestRedis(inject('redisUrl')))
  const redis = openRedis(redisUrl, silentLog)
  stack.defer(() => redis.disconnect())
  await redisReady(redis)
  const hub = openChannelHub(redisUrl, silentLog)
  stack.defer(() => hub.close())
  const keys = await openSigningKeys(signingJwks)

  const folder = mkdtempSync(join(tmpdir(), 'sluice-objects-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const objects = await openObjectStore({ folder })
  const clock = { now: () => new Date() }
  const parts: Parts = {
    orm: db.orm,
    redis,
    attempts: createAttempts(redis, silentLog),
    hub,
    objects,
    keys,
    publicTunnelUrls: {},
    tunnelPorts: {
      tcp: { first: 20_000, last: 20_005 },
      udp: { first: 20_000, last: 20_001 },
    },
    edgeAssignment: evenly,
    webhooks: { sealer, allowPrivate: true },
    now: () => clock.now(),
    log: silentLog,
    wakeOutbox: () => undefined,
  }
  const jobDeps: JobDeps = {
    em: () => forkSystem(db.orm),
    redis,
    objects,
    webhooks: { sealer, allowPrivate: true },
    random: () => 0.5,
    now: parts.now,
    log: silentLog,
  }
  const acme = crypto.randomUUID()
  const globex = crypto.randomUUID()
  const context = (principal: Principal): Context => createContext(parts, principal)

  return {
    db,
    redis,
    redisUrl,
    parts,
    jobDeps,
    clock,
    sealingKey,
    context,
    acme: { id: acme, member: memberOf(acme), as: () => context(memberOf(acme)) },
    globex: { id: globex, member: memberOf(globex), as: () => context(memberOf(globex)) },
    /** Every organization's rows, for arranging and asserting. */
    em: () => forkSystem(db.orm),
    async relay(id = 'relay-1', region = 'local') {
      return registerRelay(context(relayPrincipal), {
        id,
        region,
        edgeUrl: `ws://edge.tunnel.localhost:8080/_sluice/session?${id}`,
        publicHttpUrl: 'http://tunnel.localhost:8080',
        version: '0.1.0',
        capacity: 1000,
      })
    },
    async ask(principal: Principal, source: string, variableValues: Record<string, unknown> = {}) {
      return graphql({ schema, source, variableValues, contextValue: context(principal) })
    },
    async follow(principal: Principal, source: string, variableValues: Record<string, unknown>) {
      const document = parse(source)
      const contextValue = context(principal)
      const events = await subscribe({ schema, document, variableValues, contextValue })
      if (!(Symbol.asyncIterator in events)) throw new Error(events.errors?.[0]?.message)
      stack.defer(async () => void (await events.return?.()))
      return events as AsyncIterableIterator<ExecutionResult<Record<string, never>>>
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
export type World = Awaited<ReturnType<typeof openWorld>>

/** The code an answer failed with. */
export function codeOf(result: ExecutionResult): string | undefined {
  const original = result.errors?.[0]?.originalError
  return original && 'code' in original ? String(original.code) : result.errors?.[0]?.message
}

let serial = 0

/** A record as a relay sends it; later ones have later times and ids. */
export function recordOf(
  organizationId: string,
  tunnelId: string,
  fields: Partial<RequestRecord> = {},
): RequestRecord {
  serial += 1
  const startedAt = fields.startedAt ?? new Date(Date.now() - 60_000 + serial).toISOString()
  const time = Date.parse(startedAt).toString(16).padStart(12, '0')
  const rest = serial.toString(16).padStart(12, '0')
  return {
    id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${rest}`,
    organizationId,
    tunnelId,
    relayId: 'relay-1',
    endpointHost: 'app.tunnel.localhost',
    startedAt,
    method: 'GET',
    path: `/${serial}`,
    protocol: 'HTTP/1.1',
    status: 200,
    code: null,
    visitorIp: '203.0.113.7',
    requestBytes: 0,
    responseBytes: 5,
    durationMs: 12.5,
    firstByteMs: 8.25,
    requestHeaders: [['host', 'app.tunnel.localhost']],
    responseHeaders: [['content-type', 'text/plain']],
    ...fields,
  }
}
