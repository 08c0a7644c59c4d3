import { redisChannels, redisKeys, type RequestRecord } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'

import { createWorld, host, type World } from '../testing/world.ts'

const request = (path: string, body = '') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** Everything that becomes known of a tunnel's traffic, up to a request that is certainly seen. */
async function seenOf(world: World, tunnelId: string, visit: () => Promise<void>) {
  const redis = new Redis(inject('redisUrl'))
  const traffic = new Redis(inject('redisUrl'))
  const paths: string[] = []
  const last = Promise.withResolvers<void>()
  traffic.on('message', (_channel, message: string) => {
    for (const record of JSON.parse(message) as RequestRecord[]) paths.push(record.path)
    if (paths.includes('/last')) last.resolve()
  })
  await traffic.subscribe(redisChannels.traffic(tunnelId))
  await visit()
  await world.exchange(request('/last'))
  await last.promise
  await world.relay.close()
  const entries = await redis.xrange(redisKeys.usage, '-', '+')
  const counts = entries.flatMap(([, [, batch = '{}']]) => JSON.parse(batch).counts ?? [])
  const own = counts.filter((count: { tunnelId: string }) => count.tunnelId === tunnelId)
  const sum = (name: string) =>
    own.reduce((total: number, count: Record<string, number>) => total + (count[name] ?? 0), 0)
  redis.disconnect()
  traffic.disconnect()
  return { paths, requests: sum('requests'), bytesOut: sum('bytesOut') }
}

/** An agent that answers paths under /own itself. */
async function tunnelWith(world: World, tunnelId: string, body: string): Promise<void> {
  const upstream = await world.upstream((_request, response) =>
    response.setHeader('sluice-own', '1').end('upstream'),
  )
  const answer = (payload: Buffer, headStart: number): Buffer | undefined =>
    payload.toString('latin1', headStart).startsWith('GET /own')
      ? Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      : undefined
  await world.tunnel(upstream, { tunnelId }, { answer })
}

test('the agent’s check of the way to itself is neither recorded nor counted, everything of the upstream is', async () => {
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const tunnelId = crypto.randomUUID()
  await tunnelWith(world, tunnelId, 'nonce')

  const seen = await seenOf(world, tunnelId, async () => {
    expect(await world.exchange(request('/own'))).toMatch(/^HTTP\/1\.1 200 [^]*nonce$/)
    expect(await world.exchange(request('/upstream'))).toMatch(/^HTTP\/1\.1 200 [^]*upstream$/)
  })

  expect(seen).toEqual({ paths: ['/upstream', '/last'], requests: 2, bytesOut: 16 })
})

test.for([
  ['an answer larger than a check', 'x'.repeat(513), ''],
  ['an answer to a request with a body', 'nonce', 'upload'],
] as const)('%s is seen, whatever the agent says', async ([, body, upload]) => {
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const tunnelId = crypto.randomUUID()
  await tunnelWith(world, tunnelId, body)

  const seen = await seenOf(world, tunnelId, async () => {
    await world.exchange(request('/own', upload))
  })

  expect(seen.paths).toEqual(['/own', '/last'])
  expect(seen.requests).toBe(2)
})

test('an agent cannot live on its own answers: after the first few they are seen', async () => {
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const tunnelId = crypto.randomUUID()
  await tunnelWith(world, tunnelId, 'nonce')

  const seen = await seenOf(world, tunnelId, async () => {
    for (let index = 0; index < 20; index += 1) await world.exchange(request('/own'))
  })

  expect(seen.paths).toEqual(['/own', '/own', '/own', '/own', '/last'])
  expect(seen.requests).toBe(5)
})
