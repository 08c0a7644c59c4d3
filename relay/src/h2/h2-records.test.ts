import { once } from 'node:events'

import { redisChannels, type RequestRecord } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { h2Get, h2Visitor } from '../testing/h2-visitor.ts'
import { apex, createWorld } from '../testing/world.ts'

const certificate = selfSigned(apex)

test('a request over HTTP/2 is recorded as one, with what it moved', async () => {
  await using world = await createWorld({
    httpsPort: 0,
    certificate,
    redisUrl: inject('redisUrl'),
  })
  const tunnelId = crypto.randomUUID()
  const upstream = await world.upstream((request, response) =>
    request.resume().on('end', () => response.end('answer')),
  )
  await world.tunnel(upstream, { tunnelId })
  const traffic = new Redis(inject('redisUrl'))
  world.use(() => traffic.disconnect())
  await traffic.subscribe(redisChannels.traffic(tunnelId))
  const told = once(traffic, 'message')

  await h2Get(
    h2Visitor(world, certificate.cert),
    { ':method': 'POST', ':path': '/a?token=secret', authorization: 'Bearer secret' },
    (stream) => stream.end('question'),
  )

  const [record]: RequestRecord[] = JSON.parse(String((await told)[1]))
  expect(record).toMatchObject({
    protocol: 'HTTP/2',
    method: 'POST',
    status: 200,
    requestBytes: 8,
    responseBytes: 6,
    visitorIp: '127.0.0.1',
  })
  expect(JSON.stringify(record)).not.toContain('secret')
})
