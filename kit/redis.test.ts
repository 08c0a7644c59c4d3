import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { silentLog } from './log.ts'
import { openChannelHub, openRedis } from './redis.ts'
import { openTestRedis } from './testing.ts'
import { unusedPort } from './unused-port.ts'

test('closing while Redis is away ends what waits for it, whenever it happens', async () => {
  const url = `redis://127.0.0.1:${await unusedPort()}`
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
  const redis = openRedis(`redis://127.0.0.1:${await unusedPort()}`, silentLog)

  await expect(redis.xlen('anything')).rejects.toThrow('writeable')
  redis.disconnect()
})

test('a channel that is confirmed stays, also when it was asked for while connecting', async () => {
  await using server = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())

  for (let attempt = 0; attempt < 20; attempt += 1) {
    const channel = crypto.randomUUID()
    const hub = openChannelHub(server.url, silentLog)
    // Further along in connecting with each attempt.
    for (let turn = 0; turn < attempt; turn += 1) await new Promise(setImmediate)
    await hub.subscribe(channel, () => undefined)
    const receivers: number[] = []
    for (let told = 0; told < 10; told += 1) receivers.push(await redis.publish(channel, 'x'))
    await hub.close()

    expect(receivers, `attempt ${attempt}`).toEqual(Array.from({ length: 10 }, () => 1))
  }
})
