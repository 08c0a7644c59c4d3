import { setTimeout as sleep } from 'node:timers/promises'

import { silentLog } from '@sluice/kit/log'
import { openRedis, redisReady } from '@sluice/kit/redis'
import { openTestRedis } from '@sluice/kit/testing'
import { expect, inject, test } from 'vitest'

import { SharedBucket } from './shared-bucket.ts'

const key = 'bucket'

async function relays(stack: AsyncDisposableStack, count: number) {
  const { url } = stack.use(await openTestRedis(inject('redisUrl')))
  return Promise.all(
    Array.from({ length: count }, async () => {
      const redis = openRedis(url, silentLog)
      stack.defer(() => redis.disconnect())
      await redisReady(redis)
      return redis
    }),
  )
}

/** Spends whenever there is a token, for a while. */
async function spendAll(buckets: readonly SharedBucket[], forMs: number): Promise<number> {
  const untilMs = performance.now() + forMs
  let spent = 0
  while (performance.now() < untilMs) {
    for (const bucket of buckets) {
      while (bucket.waitMs(1) === 0) {
        bucket.spend(1)
        spent += 1
      }
    }
    await sleep(5)
  }
  return spent
}

test('alone, a relay spends its burst and then the rate, without asking anybody', () => {
  let nowMs = 0
  const bucket = new SharedBucket({
    key,
    relayId: 'a',
    redis: undefined,
    perSecond: 10,
    burst: 5,
    now: () => nowMs,
  })
  const take = () => {
    let taken = 0
    for (; bucket.level >= 1; taken += 1) bucket.spend(1)
    return taken
  }

  expect(take()).toBe(5)
  nowMs += 1_000
  expect(take()).toBe(5)
  nowMs += 300
  expect(take()).toBe(3)
  expect(bucket.waitMs(1)).toBeCloseTo(100)
})

test('two relays together spend one rate, within the burst that one of them may not have heard of', async () => {
  await using stack = new AsyncDisposableStack()
  const [one, two] = await relays(stack, 2)
  const options = { key, perSecond: 100, burst: 20 }
  const buckets = [
    new SharedBucket({ ...options, redis: one, relayId: 'a' }),
    new SharedBucket({ ...options, redis: two, relayId: 'b' }),
  ]
  stack.defer(() => buckets.forEach((bucket) => bucket.close()))

  const startMs = performance.now()
  const spent = await spendAll(buckets, 3_000)
  const seconds = (performance.now() - startMs) / 1000

  // The burst, the rate over time, and once more the burst for the relay that came second, with room for a slow Redis:
  // far from twice the rate.
  expect(spent).toBeLessThanOrEqual(100 * seconds + 20 + 20 + 100)
  expect(spent).toBeGreaterThanOrEqual(100 * seconds * 0.5)
})

test('when Redis goes, each relay keeps to the share that it had', async () => {
  await using stack = new AsyncDisposableStack()
  const [one, two] = await relays(stack, 2)
  const options = { key, perSecond: 100, burst: 10 }
  const buckets = [
    new SharedBucket({ ...options, redis: one, relayId: 'a' }),
    new SharedBucket({ ...options, redis: two, relayId: 'b' }),
  ]
  stack.defer(() => buckets.forEach((bucket) => bucket.close()))
  await spendAll(buckets, 600)
  one?.disconnect()
  two?.disconnect()

  const startMs = performance.now()
  const spent = await spendAll(buckets, 1_500)
  const seconds = (performance.now() - startMs) / 1000

  expect(spent).toBeLessThanOrEqual(100 * seconds + 50)
  expect(spent).toBeGreaterThanOrEqual(100 * seconds * 0.4)
})

test('a relay that falls silent leaves the rate to the other', async () => {
  await using stack = new AsyncDisposableStack()
  const [one, two] = await relays(stack, 2)
  const options = { key, perSecond: 100, burst: 100 }
  const first = new SharedBucket({ ...options, redis: one, relayId: 'a' })
  const second = new SharedBucket({ ...options, redis: two, relayId: 'b' })
  stack.defer(() => [first, second].forEach((bucket) => bucket.close()))
  await spendAll([first, second], 500)
  await spendAll([first], 2_500)

  const startMs = performance.now()
  const spent = await spendAll([first], 1_500)
  const seconds = (performance.now() - startMs) / 1000

  // Half of it would be its share beside the other.
  expect(spent).toBeGreaterThanOrEqual(100 * seconds * 0.65)
})
