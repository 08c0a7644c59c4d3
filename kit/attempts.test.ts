import { expect, inject, test } from 'vitest'

import { createAttempts, type AttemptLimit } from './attempts.ts'
import { silentLog } from './log.ts'
import { openRedis, redisReady } from './redis.ts'
import { openTestRedis } from './testing.ts'

const limit = { name: 'test', attemptsMax: 3, windowMs: 60_000 }

test('while Redis is away a replica limits by itself', async () => {
  const redis = openRedis('redis://127.0.0.1:1', silentLog)
  const attempts = createAttempts(redis, silentLog)

  const codes = []
  for (let tried = 0; tried < 4; tried += 1) {
    codes.push(
      await attempts.count(limit, 'key').then(
        () => 'allowed',
        (error: { code: string }) => error.code,
      ),
    )
  }

  expect(codes).toEqual(['allowed', 'allowed', 'allowed', 'SLUICE_RATE_LIMITED'])
  await expect(attempts.count(limit, 'other')).resolves.toBeUndefined()
  redis.disconnect()
})

test('one attempt counts for account, address and network, and the longest wait is told', async () => {
  await using testRedis = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(testRedis.url, silentLog)
  await redisReady(redis)
  const limited: string[] = []
  const attempts = createAttempts(redis, silentLog, ({ name }, key) =>
    limited.push(`${name} ${key}`),
  )
  const account: AttemptLimit = { name: 'account', attemptsMax: 2, windowMs: 60_000 }
  const network: AttemptLimit = { name: 'network', attemptsMax: 2, windowMs: 600_000 }
  const counted = [[account, 'ada'] as const, [network, '192.0.2.0/24'] as const]

  await attempts.countAll(counted)
  await attempts.countAll(counted)
  const refused = await attempts.countAll(counted).catch((error: unknown) => error)

  expect(refused).toMatchObject({ code: 'SLUICE_RATE_LIMITED' })
  const { details } = refused as { details: { retryAfterSeconds: number } }
  expect(details.retryAfterSeconds).toBeGreaterThan(60)
  expect(limited).toEqual(['account ada', 'network 192.0.2.0/24'])
  expect(await attempts.waitSeconds([[account, 'bob']])).toBe(0)
  redis.disconnect()
})

test('of many at once exactly as many pass as the limit says', async () => {
  await using testRedis = await openTestRedis(inject('redisUrl'))
  const redis = openRedis(testRedis.url, silentLog)
  await redisReady(redis)
  const attempts = createAttempts(redis, silentLog)

  const tries = Array.from({ length: 100 }, () => attempts.waitSeconds([[limit, 'key']]))
  const waits = await Promise.all(tries)

  expect(waits.filter((seconds) => seconds === 0)).toHaveLength(limit.attemptsMax)
  redis.disconnect()
})
