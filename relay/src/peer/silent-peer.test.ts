import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

import { redisKeys } from '@sluice/schema/redis'
import { pingIntervalMs, silentIntervalsMax, type HeartbeatIo } from '@sluice/wire'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test, vi } from 'vitest'

import { selfSigned } from '../edge/self-signed.ts'
import { Relays } from '../testing/relays.ts'
import { apex, type World } from '../testing/world.ts'
import type { PeerOptions } from './peer-side.ts'

const waitMs = { timeout: 15_000 }
/** The only thing that may end a request that waits is the silence of the other relay. */
const patient = { responseHeadTimeoutMs: 300_000 }
/** How often an interval of the heartbeat passes where it passes by itself: time enough to be answered on a busy machine. */
const passMs = 500

/** A clock that stands still until it is told that time has passed. */
class HandClock implements HeartbeatIo {
  #nowMs = 0
  readonly #timers = new Map<() => void, number>()

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#nowMs
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    this.#timers.set(callback, this.#nowMs + delayMs)
    return () => this.#timers.delete(callback)
  }

  passInterval(): void {
    this.#nowMs += pingIntervalMs
    for (const [callback, dueMs] of this.#timers) {
      if (dueMs > this.#nowMs || !this.#timers.delete(callback)) continue
      callback()
    }
  }

  passTooLong(): void {
    for (let count = 0; count < silentIntervalsMax; count += 1) this.passInterval()
  }
}

function relays(): Relays {
  return new Relays(inject('redisUrl'))
}

function peerWith(heartbeat: HeartbeatIo, tls: Partial<PeerOptions> = {}) {
  const secret = 'the same for all relays of a test'
  const peer = { host: '127.0.0.1', port: 0, secret, heartbeat, ...tls }
  return { ...patient, peer }
}

function requestOf(method: string, host: string): string {
  return `${method} / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
}

/** Takes connections and never says anything, as the kernel of a machine does whose relay is frozen. */
async function frozenHolder(tunnelId: string, host: string) {
  const sockets = new Set<Socket>()
  let received = ''
  let asking: Socket | undefined
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (received.endsWith('\r\n\r\n')) asking = socket
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => {
    redis.disconnect()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  const route = {
    relayId: 'frozen',
    peerUrl: `tcp://127.0.0.1:${port}`,
    epoch: 1,
    at: '1',
    pooling: false,
    sessions: 1,
    seenAt: Math.floor(Date.now() / 1000),
  }
  await redis.hset(redisKeys.routes(tunnelId), 'frozen', JSON.stringify(route))
  await redis.set(redisKeys.routeOf(host), tunnelId)
  return {
    sockets,
    requests: () => received.split(' / HTTP/1.1').length - 1,
    /** Whatever else it does not do, it sends this on the connection that brought a request last. */
    say: (text: string) => void asking?.write(text),
    claims: () => redis.hlen(redisKeys.routes(tunnelId)),
    /** Its claim expires while it is silent. */
    expire: () => redis.del(redisKeys.routes(tunnelId), redisKeys.routeOf(host)),
  }
}

async function counted(name: 'silent' | 'refused', { relay }: World): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${relay.adminPort}/metrics`)).text()
  return Number(new RegExp(`^sluice_relay_peers_${name}_total\\S* (\\d+)`, 'm').exec(metrics)?.[1])
}

test('requests to a relay that takes them and falls silent are answered once its silence is too long, and nothing stays open', async () => {
  await using all = relays()
  const clock = new HandClock()
  const b = await all.start('b', peerWith(clock))
  const { tunnelId, endpointHosts } = all.claims()
  const [host = ''] = endpointHosts
  const frozen = await frozenHolder(tunnelId, host)
  const answers = [1, 2, 3].map(() => b.exchange(requestOf('POST', host)))
  await vi.waitFor(() => expect(frozen.requests()).toBe(answers.length), waitMs)

  clock.passTooLong()

  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatch(/^HTTP\/1.1 502 /)
    expect(answer).toContain('sluice-error: SLUICE_AGENT_LOST')
  }
  expect(await counted('silent', b)).toBe(1)
  await vi.waitFor(() => expect(frozen.sockets.size).toBe(0), waitMs)
  expect(clock.waiting).toBe(0)
})

test('a request that may be sent again is served by the relay that has the tunnel by then', async () => {
  await using all = relays()
  const clock = new HandClock()
  const [a, b] = [await all.start('a', peerWith(clock)), await all.start('b', peerWith(clock))]
  const { tunnelId, endpointHosts } = all.claims()
  const [host = ''] = endpointHosts
  const frozen = await frozenHolder(tunnelId, host)
  const answer = b.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  await vi.waitFor(() => expect(frozen.requests()).toBe(1), waitMs)
  await frozen.expire()
  const upstream = await a.upstream((_request, response) => response.end('from the next one'))
  await a.tunnel(upstream, { tunnelId, endpointHosts })
  await vi.waitFor(async () => expect(await frozen.claims()).toBe(1), waitMs)

  clock.passTooLong()

  expect(await answer).toContain('from the next one')
})

test('a relay that has bytes for a visitor lives, even if it takes no connection for now', async () => {
  await using all = relays()
  const clock = new HandClock()
  const b = await all.start('b', peerWith(clock))
  const { tunnelId, endpointHosts } = all.claims()
  const [host = ''] = endpointHosts
  const holder = await frozenHolder(tunnelId, host)
  const visitor = await b.visitor()
  visitor.send(requestOf('POST', host))
  await vi.waitFor(() => expect(holder.requests()).toBe(1), waitMs)

  holder.say('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n')
  for (let said = 0; said < 2 * silentIntervalsMax; said += 1) {
    holder.say(`line ${said};`)
    await visitor.until((received) => received.includes(`line ${said};`))
    clock.passInterval()
  }
  expect(await counted('silent', b)).toBe(0)
  clock.passTooLong()

  expect(await visitor.rest()).toMatch(/line 7;$/)
  expect(await counted('silent', b)).toBe(1)
})

test.for(['tcp', 'tls'])(
  'an upstream may be silent for as long as it likes behind a relay that lives, over %s',
  async (scheme) => {
    await using all = relays()
    const clock = new HandClock()
    const certificate = selfSigned(apex)
    const peer = peerWith(clock, scheme === 'tls' ? { certificate, ca: certificate.cert } : {})
    const [a, b] = [await all.start('a', peer), await all.start('b', peer)]
    const claims = all.claims()
    const [host = ''] = claims.endpointHosts
    const asked = Promise.withResolvers<() => void>()
    const upstream = await a.upstream((request, response) => {
      if (request.method === 'GET') response.end()
      else asked.resolve(() => response.end('thought about it'))
    })
    await a.tunnel(upstream, claims)
    await vi.waitFor(async () => {
      expect(await b.exchange(requestOf('GET', host))).toMatch(/^HTTP\/1.1 200 /)
    }, waitMs)
    const answer = b.exchange(requestOf('POST', host))
    const finish = await asked.promise

    let passed = 0
    const passing = setInterval(() => {
      clock.passInterval()
      passed += 1
    }, passMs)
    onTestFinished(() => clearInterval(passing))
    await vi.waitFor(() => expect(passed).toBeGreaterThan(silentIntervalsMax + 1), waitMs)
    finish()

    expect(await answer).toContain('thought about it')
    expect(await counted('silent', b)).toBe(0)
    // A question is nothing that the holder would take for a forgery.
    expect(await counted('refused', a)).toBe(0)
    // Nobody is asked any more once nothing is under way.
    await vi.waitFor(() => expect(clock.waiting).toBe(0), waitMs)
  },
)
