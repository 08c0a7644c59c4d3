import { silentLog } from '@sluice/kit/log'
import { openRedis } from '@sluice/kit/redis'
import { expect, test } from 'vitest'

import { addressOf, createAttempts } from './attempts.ts'

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

test('a customer with a whole IPv6 network counts as one address', () => {
  expect(addressOf('2001:db8:1:2:aaaa::1')).toBe(addressOf('2001:db8:1:2::ffff'))
  expect(addressOf('2001:db8:1:2::1')).not.toBe(addressOf('2001:db8:1:3::1'))
  expect(addressOf('2001:db8::1')).toBe('2001:db8:0:0::/64')
  expect(addressOf('192.0.2.1')).toBe('192.0.2.1')
})
