import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { expect, inject, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { bindJob, defineJob } from './job.ts'
import { silentLog } from './log.ts'
import { hostJobs } from './queue.ts'
import { openTestRedis } from './testing.ts'

/** A worker whose job notes each run; `runs(n)` waits for the nth. */
async function createWorker(options: { everyMs?: number; redisUrl?: string; fail?: number } = {}) {
  const redisServer = options.redisUrl ? null : await openTestRedis(inject('redisUrl'))
  const redisUrl = options.redisUrl ?? redisServer?.url ?? ''
  const seen: string[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  let failures = options.fail ?? 0
  const job = defineJob({
    name: 'note.write',
    payload: z.object({ text: z.string().default('by interval') }),
    async run({ text }) {
      seen.push(text)
      for (const one of waiting) if (seen.length >= one.count) one.resolve()
      if (failures > 0) {
        failures -= 1
        throw new Error('not yet')
      }
    },
  })
  const metrics = new Registry()
  const worker = await hostJobs({
    worker: 'notes',
    redisUrl,
    metrics,
    log: silentLog,
    jobs: [{ job: bindJob(job, {}), ...(options.everyMs ? { everyMs: options.everyMs } : {}) }],
  })
  onTestFinished(async () => {
    await worker.close()
    await redisServer?.[Symbol.asyncDispose]()
  })
  return {
    worker,
    redisUrl,
    metrics,
    seen,
    runs: (count: number) =>
      new Promise<void>((resolve) => {
        if (seen.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
  }
}

test('a job that fails is tried again, and both results are counted', async () => {
  const { worker, metrics, seen, runs } = await createWorker({ fail: 1 })

  await worker.add('note.write', { text: 'a' })
  await runs(2)
  await expect.poll(() => metrics.metrics()).toMatch(/result="done"\} 1/)

  expect(seen).toEqual(['a', 'a'])
  expect(await metrics.metrics()).toMatch(/result="failed"\} 1/)
})

test('what does not parse is dropped without a second try', async () => {
  const { worker, metrics, seen, runs } = await createWorker()

  await worker.add('note.write', { text: 42 })
  await worker.add('note.write', { text: 'good' })
  await runs(1)
  await expect.poll(() => metrics.metrics()).toMatch(/result="failed"\} 1/)

  expect(seen).toEqual(['good'])
})

test('an interval survives a Redis that lost everything', async () => {
  const { redisUrl, runs, seen } = await createWorker({ everyMs: 150 })
  await runs(1)
  const redis = new Redis(redisUrl)
  onTestFinished(() => redis.disconnect())

  await redis.flushdb()
  await runs(seen.length + 2)

  expect(seen.every((text) => text === 'by interval')).toBe(true)
})

test('of two workers one runs each interval', async () => {
  const first = await createWorker({ everyMs: 400 })
  const second = await createWorker({ everyMs: 400, redisUrl: first.redisUrl })

  const startedAt = Date.now()
  await Promise.race([first.runs(3), second.runs(3)])
  const slots = Math.ceil((Date.now() - startedAt) / 400) + 1

  expect(first.seen.length + second.seen.length).toBeLessThanOrEqual(slots)
})

test('a worker that closes while it still looks for Redis leaves nothing behind', async () => {
  const loose: unknown[] = []
  const hear = (reason: unknown) => void loose.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const job = bindJob(
    defineJob({ name: 'early', payload: z.object({}), run: async () => undefined }),
    {},
  )
  const open = async (redisUrl: string) => {
    const metrics = new Registry()
    const jobs = [{ job, everyMs: 1_000 }]
    return hostJobs({ worker: crypto.randomUUID(), redisUrl, jobs, metrics, log: silentLog })
  }

  for (const redisUrl of [inject('redisUrl'), 'redis://127.0.0.1:1']) {
    const worker = await open(redisUrl)
    await worker.close()
  }
  await new Promise((resolve) => setImmediate(resolve))

  expect(loose).toEqual([])
})
