import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test, vi } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { Relays } from '../testing/relays.ts'
import { apex } from '../testing/world.ts'

const waitMs = { timeout: 15_000 }

function openRedis(): Redis {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  return redis
}

function routeWith(route: object): string {
  const seenAt = Math.floor(Date.now() / 1000)
  return JSON.stringify({ epoch: 9, at: '1', pooling: false, sessions: 1, seenAt, ...route })
}

function get(host: string): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
}

test('a route that cannot be followed stops neither the relay nor the routes beside it', async () => {
  await using all = new Relays(inject('redisUrl'))
  const b = await all.start('b')
  const redis = openRedis()
  const { tunnelId, endpointHosts } = all.claims()
  const [host = ''] = endpointHosts
  await redis.hset(redisKeys.routes(tunnelId), {
    x: routeWith({ relayId: 'x', peerUrl: 'nonsense' }),
    y: 'not even JSON',
  })
  await redis.set(redisKeys.routeOf(host), tunnelId)

  expect(await b.exchange(get(host))).toMatch(/^HTTP\/1.1 (?:404|503) /)
  await redis.hdel(redisKeys.routes(tunnelId), 'x')
  const a = await all.start('a')
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  await a.tunnel(upstream, { tunnelId, endpointHosts })
  await vi.waitFor(async () => {
    expect(await b.exchange(get(host))).toMatch(/^HTTP\/1.1 200 /)
  }, waitMs)
})

test('TLS for a relay that does not answer is given up soon', async () => {
  await using all = new Relays(inject('redisUrl'))
  const b = await all.start('b', { httpsPort: 0, certificate: selfSigned(apex) })
  const silent = createServer(() => undefined)
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void silent.close())
  const { port } = silent.address() as AddressInfo
  const { tunnelId, endpointHosts } = all.claims()
  const [host = ''] = endpointHosts
  const route = { relayId: 'gone', peerUrl: `tls://127.0.0.1:${port}`, handshake: true }
  const redis = openRedis()
  await redis.hset(redisKeys.routes(tunnelId), { gone: routeWith(route) })
  await redis.set(redisKeys.routeOf(host), tunnelId)

  const visitor = connectTls({
    port: b.relay.httpsPort,
    host: '127.0.0.1',
    servername: host,
    rejectUnauthorized: false,
  })
  visitor.on('error', () => undefined)

  // By a reset: `once` would take that for a failure.
  const closed = new Promise((resolve) => visitor.once('close', () => resolve('closed')))
  expect(await closed).toBe('closed')
})
