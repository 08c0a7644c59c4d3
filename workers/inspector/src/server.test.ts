import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startPostgres, type Engine } from '@sluice/kit/engines'
import { silentLog } from '@sluice/kit/log'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { openTestRedis } from '@sluice/kit/testing'
import { redisKeys, type RequestBatch, type RequestRecord } from '@sluice/schema/redis'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'

import { createServer } from './server.ts'

/** A PostgreSQL of its own: one of the tests stops it. */
let folder: string
let postgres: Engine
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-inspector-'))
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true })
})
afterAll(async () => {
  await postgres.close()
  rmSync(folder, { recursive: true, force: true })
})

async function sql<Row>(text: string): Promise<Row[]> {
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}

async function openWorld() {
  const stack = new AsyncDisposableStack()
  const { url: redisUrl } = stack.use(await openTestRedis(inject('redisUrl')))
  const redis = openRedis(redisUrl, silentLog)
  stack.defer(() => redis.disconnect())
  await redisReady(redis)
  const organizationId = crypto.randomUUID()
  const record = (): RequestRecord => ({
    id: crypto.randomUUID(),
    organizationId,
    tunnelId: crypto.randomUUID(),
    relayId: 'relay-1',
    endpointHost: 'app.tunnel.localhost',
    startedAt: new Date().toISOString(),
    method: 'GET',
    path: '/',
    protocol: 'HTTP/1.1',
    status: 200,
    code: null,
    visitorIp: '203.0.113.7',
    requestBytes: 0,
    responseBytes: 5,
    durationMs: 1,
    firstByteMs: null,
    requestHeaders: [],
    responseHeaders: [],
  })
  return {
    redis,
    redisUrl,
    record,
    async openWorker(claimIdleMs = 60_000) {
      const worker = await createServer({
        databaseUrl: postgres.url,
        redisUrl,
        port: 0,
        log: silentLog,
        claimIdleMs,
      })
      stack.defer(() => worker.close())
      const get = async (path: string) => {
        const response = await fetch(`http://127.0.0.1:${worker.port}${path}`)
        return { status: response.status, text: await response.text() }
      }
      return { ...worker, get }
    },
    send: (batch: RequestBatch | string) =>
      redis.xadd(
        redisKeys.requests,
        '*',
        'batch',
        typeof batch === 'string' ? batch : JSON.stringify(batch),
      ),
    async stored(): Promise<number> {
      const [row] = await sql<{ count: number }>(
        `select count(*)::int as count from tunnels.captured_request where organization_id = '${organizationId}'`,
      )
      return row?.count ?? 0
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const batchOf = (...records: RequestRecord[]): RequestBatch => ({
  id: crypto.randomUUID(),
  records,
})
const soon = { timeout: 15_000, interval: 50 }

test('requests are stored once however often their batch comes, and the stream is emptied', async () => {
  await using world = await openWorld()
  const batch = batchOf(world.record(), world.record())
  await world.send(batch)
  const worker = await world.openWorker()
  await world.send(batch)

  await vi.waitFor(async () => expect(await world.redis.xlen(redisKeys.requests)).toBe(0), soon)

  expect(await world.stored()).toBe(2)
  const { text } = await worker.get('/metrics')
  expect(text).toMatch(/sluice_inspector_requests_total\{result="stored",.*\} 2/)
  expect(text).toMatch(/sluice_inspector_requests_total\{result="repeated",.*\} 2/)
})

test('a Redis that lost everything is consumed again', async () => {
  await using world = await openWorld()
  await world.openWorker()
  await world.send(batchOf(world.record()))
  await vi.waitFor(async () => expect(await world.stored()).toBe(1), soon)

  await world.redis.flushdb()
  await world.send(batchOf(world.record()))

  await vi.waitFor(async () => expect(await world.stored()).toBe(2), soon)
})

test('what a dead worker had taken is stored by another', async () => {
  await using world = await openWorld()
  await world.redis.xgroup('CREATE', redisKeys.requests, 'inspector', '0', 'MKSTREAM')
  await world.send(batchOf(world.record()))
  const taken = ['COUNT', 1, 'STREAMS', redisKeys.requests, '>'] as const
  await world.redis.xreadgroup('GROUP', 'inspector', 'dead', ...taken)

  await world.openWorker(200)

  await vi.waitFor(async () => expect(await world.stored()).toBe(1), soon)
})

test('a batch that cannot be read is kept with the reason and holds up nothing', async () => {
  await using world = await openWorld()
  await world.openWorker()
  const entryId = await world.send('{"no":"batch"}')
  await world.send(batchOf(world.record()))

  await vi.waitFor(async () => expect(await world.stored()).toBe(1), soon)

  const letters = await sql(
    `select text, reason from tunnels.dead_letter where entry_id = '${entryId}'`,
  )
  expect(letters).toEqual([
    { text: '{"no":"batch"}', reason: expect.stringContaining('malformed') as unknown },
  ])
})

test('while PostgreSQL is away batches wait, and are stored when it is back', async () => {
  await using world = await openWorld()
  const worker = await world.openWorker()
  const port = Number(new URL(postgres.url).port)
  await postgres.close()
  await world.send(batchOf(world.record()))
  await vi.waitFor(async () => expect((await worker.get('/readyz')).status).toBe(503), soon)
  const waiting = await world.redis.xlen(redisKeys.requests)

  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true, port })

  await vi.waitFor(async () => expect(await world.stored()).toBe(1), soon)
  expect(waiting).toBe(1)
  await vi.waitFor(async () => expect((await worker.get('/readyz')).status).toBe(200), soon)
})
