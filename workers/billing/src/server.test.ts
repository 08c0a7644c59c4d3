import { silentLog } from '@sluice/kit/log'
import { openEmptyDatabase, openTestRedis } from '@sluice/kit/testing'
import { redisKeys, type UsageBatch } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { createServer } from './server.ts'

const patience = { timeout: 15_000, interval: 50 }

async function createWorld() {
  const db = await openEmptyDatabase(inject('databaseUrl'))
  const redisServer = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(redisServer.url)
  onTestFinished(async () => {
    redis.disconnect()
    await redisServer[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })
  const open = async () => {
    const worker = await createServer({
      databaseUrl: db.url,
      redisUrl: redisServer.url,
      port: 0,
      log: silentLog,
      rollUpEveryMs: 100,
    })
    onTestFinished(() => worker.close())
    return worker
  }
  return {
    db,
    redis,
    open,
    worker: await open(),
    acme: crypto.randomUUID(),
    send: (batch: UsageBatch | string) =>
      redis.xadd(
        redisKeys.usage,
        '*',
        'batch',
        typeof batch === 'string' ? batch : JSON.stringify(batch),
      ),
    /** Requests of all periods of all organizations. */
    total: async () => {
      const [row] = await db.query<{ total: string | null }>(
        'select sum(requests) as total from billing.usage_period',
      )
      return Number(row?.total ?? 0)
    },
    deadLetters: () => db.query<{ reason: string }>('select reason from billing.usage_dead_letter'),
  }
}

function batchOf(organizationId: string, requests: number): UsageBatch {
  return {
    id: crypto.randomUUID(),
    relayId: 'relay',
    at: new Date().toISOString(),
    counts: [
      { organizationId, tunnelId: crypto.randomUUID(), requests, bytesIn: 10, bytesOut: 20 },
    ],
  }
}

test('what relays report shows in the period’s total', async () => {
  const { acme, send, total, redis } = await createWorld()

  for (let index = 0; index < 20; index += 1) await send(batchOf(acme, 5))

  await expect.poll(total, patience).toBe(100)
  expect(await redis.xlen(redisKeys.usage)).toBe(0)
})

test('after Redis lost everything, batches sent again count once and new ones are counted', async () => {
  const { acme, send, total, redis } = await createWorld()
  const [first, second] = [batchOf(acme, 3), batchOf(acme, 4)]
  await send(first)
  await expect.poll(total, patience).toBe(3)

  await redis.flushdb()
  await send(first)
  await send(second)

  await expect.poll(total, patience).toBe(7)
  await expect.poll(() => redis.xlen(redisKeys.usage), patience).toBe(0)
  expect(await total()).toBe(7)
})

test('two workers count every batch once between them', async () => {
  const { acme, send, total, open, redis } = await createWorld()
  await open()

  const batches = Array.from({ length: 40 }, () => batchOf(acme, 1))
  for (const batch of [...batches, ...batches.toReversed()]) await send(batch)

  await expect.poll(() => redis.xlen(redisKeys.usage), patience).toBe(0)
  await expect.poll(total, patience).toBe(40)
})

test('what cannot be counted is kept with its reason and holds up nothing', async () => {
  const { acme, send, total, deadLetters, worker } = await createWorld()

  await send('not json')
  await send({ ...batchOf(acme, 1), at: '2020-01-01T00:00:00Z' })
  await send(batchOf('nobody', 1))
  await send(batchOf(acme, 2))

  await expect.poll(total, patience).toBe(2)
  const reasons = (await deadLetters()).map(({ reason }) => reason)
  expect(reasons).toEqual([
    expect.stringContaining('malformed'),
    'older than 90 days',
    'an id of an organization or a tunnel is no uuid',
  ])
  const metrics = await fetch(`http://127.0.0.1:${worker.port}/metrics`)
  expect(await metrics.text()).toContain(
    'sluice_worker_stream_entries_total{result="dead",part="billing-worker"} 3',
  )
})

test('the worker says that it lives and is ready', async () => {
  const { worker } = await createWorld()

  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${worker.port}/${path}`)
    return answer.status
  }

  expect(await get('healthz')).toBe(200)
  await expect.poll(() => get('readyz'), patience).toBe(200)
})
