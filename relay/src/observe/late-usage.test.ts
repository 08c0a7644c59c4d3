import { redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test, vi } from 'vitest'

import { createWorld, host } from '../testing/world.ts'

const bodyBytes = 60_000
const waitMs = { timeout: 15_000 }

test('what is still on its way to a visitor when its session is replaced is counted', async () => {
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  const tunnelId = crypto.randomUUID()
  const upstream = await world.upstream((_request, response) => {
    response.end(Buffer.alloc(bodyBytes, 'x'))
  })
  const claims = { tunnelId, bandwidthBytesPerSecond: 20_000 }
  const first = await world.tunnel(upstream, claims)
  const visitor = await world.visitor()
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  await visitor.until((received) => received.includes('xxx'))
  await vi.waitFor(() => expect(first.session.streamCount).toBe(0), waitMs)

  await world.tunnel(upstream, claims)

  expect(await first.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  expect((await visitor.rest()).endsWith('x')).toBe(true)
  await world.relay.close()
  const entries = await redis.xrange(redisKeys.usage, '-', '+')
  const counts = entries
    .flatMap(([, [, batch = '{}']]) => JSON.parse(batch).counts ?? [])
    .filter((count: { tunnelId: string }) => count.tunnelId === tunnelId)
  expect(counts.map((count: { bytesOut: number }) => count.bytesOut)).toEqual([bodyBytes])
})
