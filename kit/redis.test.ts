import { expect, test } from 'vitest'

import { freePort } from './engines.ts'
import { silentLog } from './log.ts'
import { openRedis } from './redis.ts'

test('closing while Redis is away ends what waits for it, whenever it happens', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`
  for (const moment of ['connecting', 'reconnecting'] as const) {
    const redis = openRedis(url, silentLog, { blocking: true })
    const waiting = redis.xlen('anything')
    if (moment === 'reconnecting') {
      await new Promise<void>((resolve) => redis.once('reconnecting', () => resolve()))
    }

    redis.disconnect()

    await expect(waiting).rejects.toThrow('Connection is closed.')
  }
})

test('while Redis is away a command fails at once instead of waiting', async () => {
  const redis = openRedis(`redis://127.0.0.1:${await freePort()}`, silentLog)

  await expect(redis.xlen('anything')).rejects.toThrow('writeable')
  redis.disconnect()
})
