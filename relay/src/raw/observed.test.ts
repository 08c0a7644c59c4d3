import { once } from 'node:events'
import { connect, createServer } from 'node:net'

import { unusedPort } from '@sluice/kit/unused-port'
import type { AgentTokenClaims } from '@sluice/schema/claims'
import { RequestRecord, UsageBatch, redisChannels, redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'

import { createWorld, portOf } from '../testing/world.ts'

/** A tunnel of TCP to an upstream that answers what it hears, with the end behind it. */
async function openEcho(claims: Partial<AgentTokenClaims>, redisUrl?: string) {
  const port = await unusedPort()
  const world = await createWorld({
    tcpPorts: { first: port, last: port },
    ...(redisUrl === undefined ? {} : { redisUrl }),
  })
  const upstream = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  world.use(() => void upstream.close())
  await world.tunnel(portOf(upstream), {
    kind: 'tcp',
    endpointHosts: [],
    endpointPort: port,
    ...claims,
  })
  return { world, port }
}

async function echo(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const pieces: Buffer[] = []
  socket.on('data', (chunk: Buffer) => pieces.push(chunk))
  socket.end(bytes)
  await once(socket, 'end')
  return Buffer.concat(pieces)
}

test('a connection leaves a record, and its bytes are usage', async () => {
  const redisUrl = inject('redisUrl')
  const tunnelId = crypto.randomUUID()
  const { world, port } = await openEcho({ tunnelId }, redisUrl)
  await using _ = world
  const traffic = new Redis(redisUrl)
  const redis = new Redis(redisUrl)
  world.use(() => {
    traffic.disconnect()
    redis.disconnect()
  })
  const told = Promise.withResolvers<RequestRecord>()
  traffic.on('message', (_channel, message: string) => {
    told.resolve(RequestRecord.array().parse(JSON.parse(message))[0] as RequestRecord)
  })
  await traffic.subscribe(redisChannels.traffic(tunnelId))

  await echo(port, Buffer.alloc(1_000))

  expect(await told.promise).toMatchObject({
    protocol: 'TCP',
    method: 'TCP',
    path: `:${port}`,
    status: 0,
    code: null,
    visitorIp: '127.0.0.1',
    requestBytes: 1_000,
    responseBytes: 1_000,
  })
  await world.relay.close()
  const entries = await redis.xrange(redisKeys.usage, '-', '+')
  const counts = entries
    .flatMap(([, [, batch = '{}']]) => UsageBatch.parse(JSON.parse(batch)).counts)
    .filter((count) => count.tunnelId === tunnelId)
  const sum = (name: 'requests' | 'bytesIn' | 'bytesOut') =>
    counts.reduce((total, count) => total + count[name], 0)
  expect([sum('requests'), sum('bytesIn'), sum('bytesOut')]).toEqual([1, 1_000, 1_000])
})

test('under a bandwidth limit bytes arrive slower, whole, and with their end', async () => {
  const { world, port } = await openEcho({ bandwidthBytesPerSecond: 400_000 })
  await using _ = world
  const body = Buffer.from(Array.from({ length: 300_000 }, (_one, index) => index % 251))
  const startedMs = performance.now()

  const answer = await echo(port, body)

  expect(answer.equals(body)).toBe(true)
  // 600,000 bytes, of which a burst of 160,000 passes at once: at least a second.
  expect(performance.now() - startedMs).toBeGreaterThan(800)
})
