import { bodiesWaitSeconds, redisKeys, RequestBatch } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'

import { createWorld, host } from '../testing/world.ts'
import { capturedBodyBytesMax } from './captured-bytes.ts'

/** A relay on a Redis, and the next record of a tunnel as the inspector would read it. */
async function openCapture(captureBodies: boolean) {
  const redis = new Redis(inject('redisUrl'))
  const tunnelId = crypto.randomUUID()
  const world = await createWorld({ redisUrl: inject('redisUrl') })
  onTestFinished(async () => {
    await world[Symbol.asyncDispose]()
    redis.disconnect()
  })
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/large') response.end(Buffer.alloc(300_000, 'r'))
    else request.pipe(response)
  })
  await world.tunnel(upstream, { tunnelId, captureBodies })
  return {
    redis,
    world,
    record: async () => {
      for (let from = '0'; ;) {
        const [stream] = (await redis.xread('COUNT', 50, 'STREAMS', redisKeys.requests, from)) ?? []
        for (const [id, [, batch = '']] of stream?.[1] ?? []) {
          from = id
          const { records } = RequestBatch.parse(JSON.parse(batch))
          const found = records.find((one) => one.tunnelId === tunnelId)
          if (found) return found
        }
      }
    },
  }
}

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`

test('where bodies are captured they wait in Redis, for a while', async () => {
  const { world, redis, record } = await openCapture(true)

  await world.exchange(post('/echo', 'what was sent'))

  const { id, bodies } = await record()
  expect(bodies).toEqual({ request: { truncated: false }, response: { truncated: false } })
  expect(await redis.hgetall(redisKeys.bodies(id))).toEqual({
    request: 'what was sent',
    response: 'what was sent',
  })
  const seconds = await redis.ttl(redisKeys.bodies(id))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(bodiesWaitSeconds)
})

test('only the beginning of a large body is kept, and says so, while the visitor gets all of it', async () => {
  const { world, redis, record } = await openCapture(true)

  const answer = await world.exchange(post('/large', 'x'))

  expect(answer.split('\r\n\r\n')[1]?.length).toBe(300_000)
  const { id, bodies } = await record()
  expect(bodies?.response).toEqual({ truncated: true })
  expect(await redis.hstrlen(redisKeys.bodies(id), 'response')).toBe(capturedBodyBytesMax)
})

test('a tunnel that does not ask for it has no bodies anywhere', async () => {
  const { world, redis, record } = await openCapture(false)

  await world.exchange(post('/echo', 'private'))

  const { id, bodies } = await record()
  expect(bodies).toBeUndefined()
  expect(await redis.exists(redisKeys.bodies(id))).toBe(0)
})
