import { redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { expect, inject, test, vi } from 'vitest'

import { KnownHosts, askHostOf } from './known-hosts.ts'
import { ControlPlane } from './testing/control-plane.ts'
import { apex, createWorld } from './testing/world.ts'

const waitMs = { timeout: 15_000 }
const get = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

function registrationAt({ url }: ControlPlane) {
  const edgeUrl = 'ws://edge.tunnel.test/_sluice/session'
  return {
    gatewayUrl: url,
    relayKey: 'relay-key',
    edgeUrl,
    publicHttpUrl: 'http://tunnel.test',
    retryFirstMs: 50,
  }
}

test('while Redis is away the control plane says whether a host exists, and without it nobody says 404', async () => {
  await using controlPlane = await new ControlPlane().listen()
  controlPlane.hosts.add(`known.${apex}`)
  await using world = await createWorld({
    redisUrl: 'redis://127.0.0.1:1',
    registration: registrationAt(controlPlane),
  })

  expect(await world.exchange(get(`known.${apex}`))).toMatch(
    /^HTTP\/1\.1 503 [^]*SLUICE_TUNNEL_OFFLINE/,
  )
  expect(await world.exchange(get(`none.${apex}`))).toMatch(
    /^HTTP\/1\.1 404 [^]*SLUICE_TUNNEL_UNKNOWN/,
  )
  controlPlane.mood = 'away'
  expect(await world.exchange(get(`other.${apex}`))).toMatch(
    /^HTTP\/1\.1 503 [^]*SLUICE_HOST_UNDETERMINED[^]*Retry-After: 5/,
  )
  controlPlane.mood = 'well'
  await vi.waitFor(
    async () => expect(await world.exchange(get(`other.${apex}`))).toMatch(/^HTTP\/1\.1 404 /),
    waitMs,
  )
})

test('an emptied Redis is no proof that a host does not exist', async () => {
  const redis = new Redis(`${inject('redisUrl')}/9`)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => redis.disconnect())
  const controlPlane = stack.use(await new ControlPlane().listen())
  controlPlane.hosts.add('app.test')
  await redis.ping()
  await redis.flushdb()

  const hosts = new KnownHosts({ redis, ask: askHostOf(registrationAt(controlPlane)) })
  expect(await hosts.codeOf('app.test')).toBe('SLUICE_TUNNEL_OFFLINE')
  expect(controlPlane.hostsAsked).toEqual(['app.test'])

  // It holds every host again: nobody else has to be asked.
  await redis.set(redisKeys.endpointHostsComplete, '1')
  await redis.hset(redisKeys.endpointHosts, 'held.test', 'tunnel-1')
  expect(await hosts.codeOf('held.test')).toBe('SLUICE_TUNNEL_OFFLINE')
  expect(await hosts.codeOf('none.test')).toBe('SLUICE_TUNNEL_UNKNOWN')
  expect(controlPlane.hostsAsked).toEqual(['app.test'])
})

test('a flood of made-up hosts reaches the control plane as a trickle, and one host as one question', async () => {
  let asked = 0
  const answered = Promise.withResolvers<void>()
  const hosts = new KnownHosts({
    redis: undefined,
    ask: async () => {
      asked += 1
      await answered.promise
      return false
    },
  })
  const same = Array.from({ length: 100 }, () => hosts.codeOf('same.test'))
  expect(asked).toBeLessThanOrEqual(1)
  const flood = Array.from({ length: 5_000 }, (_one, index) => hosts.codeOf(`${index}.test`))
  await vi.waitFor(() => expect(asked).toBeGreaterThan(1), waitMs)
  answered.resolve()

  expect(new Set(await Promise.all(same))).toEqual(new Set(['SLUICE_TUNNEL_UNKNOWN']))
  const codes = await Promise.all(flood)
  expect(codes.filter((code) => code === 'SLUICE_HOST_UNDETERMINED').length).toBeGreaterThan(4_000)
  expect(asked).toBeLessThan(500)
})
