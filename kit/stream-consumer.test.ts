import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { expect, inject, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { JobPayloadError } from './job.ts'
import { silentLog } from './log.ts'
import { isOutage, openStreamConsumer, type DeadLetter } from './stream-consumer.ts'
import { openTestRedis } from './testing.ts'
import { unusedPort } from './unused-port.ts'

const stream = 'test:batches'
const Batch = z.object({ id: z.string() })

async function createWorld(apply: (id: string) => Promise<void> = async () => undefined) {
  const server = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(server.url)
  const applied: string[] = []
  const dead: DeadLetter[] = []
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const check of waiting) check()
  }
  const open = (claimIdleMs = 60_000) => {
    const metrics = new Registry()
    const consumer = openStreamConsumer({
      redisUrl: server.url,
      stream,
      group: 'workers',
      batch: Batch,
      apply: async ({ id }) => {
        await apply(id)
        applied.push(id)
        changed()
      },
      deadLetter: async (entry) => {
        dead.push(entry)
        changed()
      },
      metrics,
      log: silentLog,
      claimIdleMs,
    })
    onTestFinished(() => consumer.close())
    return { ...consumer, metrics }
  }
  onTestFinished(async () => {
    redis.disconnect()
    await server[Symbol.asyncDispose]()
  })
  return {
    redis,
    applied,
    dead,
    open,
    send: (text: string) => redis.xadd(stream, '*', 'batch', text),
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (!condition()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

const text = (id: string) => JSON.stringify({ id })

test('entries are applied in order and leave the stream', async () => {
  const { redis, applied, open, send, until } = await createWorld()
  await send(text('before the group'))
  const consumer = open()
  await send(text('after'))

  await until(() => applied.length === 2)
  await consumer.close()

  expect(applied).toEqual(['before the group', 'after'])
  expect(await redis.xlen(stream)).toBe(0)
})

test('after Redis lost everything, what comes next is applied', async () => {
  const { redis, applied, open, send, until } = await createWorld()
  open()
  await send(text('first'))
  await until(() => applied.length === 1)

  await redis.flushdb()
  await send(text('second'))
  await until(() => applied.length === 2)

  expect(applied).toEqual(['first', 'second'])
})

test('an entry that never applies ends as a dead letter with its reason and stops nothing', async () => {
  const { applied, dead, open, send, until } = await createWorld(async (id) => {
    if (id === 'poison') throw new TypeError('cannot be counted')
  })
  open()

  await send('not json')
  await send(text('poison'))
  await send(text('next'))
  await until(() => applied.length === 1)

  expect(applied).toEqual(['next'])
  expect(dead.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('malformed'),
    'TypeError: cannot be counted',
  ])
  expect(dead[1]?.text).toBe(text('poison'))
})

test('an entry that can never apply is tried once', async () => {
  let attempts = 0
  const { dead, open, send, until } = await createWorld(async () => {
    attempts += 1
    throw new JobPayloadError('too old')
  })
  open()

  await send(text('old'))
  await until(() => dead.length === 1)

  expect(attempts).toBe(1)
  expect(dead[0]?.reason).toBe('too old')
})

test('while PostgreSQL is away nothing is given up', async () => {
  let failures = 6
  const { applied, dead, open, send, until } = await createWorld(async () => {
    failures -= 1
    if (failures > 0) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  })
  open()

  await send(text('patient'))
  await until(() => applied.length === 1)

  expect(dead).toEqual([])
})

test('closing ends at once while Redis is away', async () => {
  const consumer = openStreamConsumer({
    redisUrl: `redis://127.0.0.1:${await unusedPort()}`,
    stream,
    group: 'workers',
    batch: Batch,
    apply: async () => undefined,
    deadLetter: async () => undefined,
    metrics: new Registry(),
    log: silentLog,
  })

  await expect(consumer.close()).resolves.toBeUndefined()
})

test('what a dead consumer had read is taken over', async () => {
  const { redis, applied, open, send, until } = await createWorld()
  await redis.xgroup('CREATE', stream, 'workers', '0', 'MKSTREAM')
  await send(text('orphan'))
  await redis.xreadgroup('GROUP', 'workers', 'dead', 'COUNT', 1, 'STREAMS', stream, '>')

  open(1)
  await until(() => applied.length === 1)

  expect(applied).toEqual(['orphan'])
})

test('two consumers share the entries', async () => {
  const { applied, open, send, until } = await createWorld()
  open()
  open()

  const ids = Array.from({ length: 100 }, (_, index) => String(index))
  await Promise.all(ids.map((id) => send(text(id))))
  await until(() => applied.length === 100)

  expect(new Set(applied).size).toBe(100)
})

test.for([
  ['PostgreSQL is shutting down', '57P01', true],
  ['PostgreSQL is out of connections', '53300', true],
  ['a statement was cut for its length', '57014', false],
  ['a value is too long', '22001', false],
] as const)('whether trying again can help: %s', ([, code, helps]) => {
  expect(isOutage(Object.assign(new Error('failed'), { code }))).toBe(helps)
})
