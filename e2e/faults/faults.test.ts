import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'

import { startRedis } from '@sluice/kit/engines'
import { expect, test } from 'vitest'

import { ChaosProxy } from './chaos-proxy.ts'
import { Plant, host, readAll } from './plant.ts'

const megabyte = 1_048_576

test('a relay killed in the middle cuts its visitors off, and serves again once it is back', async () => {
  await using plant = await Plant.start()
  const response = await plant.ask('/begin')

  await plant.kill('relay', 'SIGKILL')
  const { whole } = await readAll(response)
  await plant.startRelay()
  await plant.untilServed()

  expect(whole).toBe(false)
})

test('a relay killed with the tunnel leaves visitors of another one with a code, and its agent comes there', async () => {
  const redis = await startRedis()
  await using plant = await Plant.start((one) => {
    const peer = { RELAY_PEER_SECRET: randomBytes(24).toString('hex'), RELAY_PEER_PORT: '0' }
    one.relayEnv = { REDIS_URL: redis.url, ...peer }
  })
  const otherPort = await plant.startOtherRelay()
  plant.ports.http = otherPort
  await plant.untilServed()
  const response = await plant.ask('/begin')

  await plant.kill('relay', 'SIGKILL')
  const { whole } = await readAll(response)
  const without = await plant.ask()
  without.resume()
  await plant.kill('agent', 'SIGKILL')
  plant.edgeThrough(otherPort)
  await plant.startAgent()
  await redis.close()

  expect(whole).toBe(false)
  expect(without.statusCode).toBeGreaterThanOrEqual(502)
  expect(without.headers['sluice-error']).toMatch(/^SLUICE_/)
  expect(await plant.status()).toBe(200)
})

test('an agent killed in the middle cuts its visitors off, others get a code, and the next agent serves', async () => {
  await using plant = await Plant.start()
  const response = await plant.ask('/begin')

  await plant.kill('agent', 'SIGKILL')
  const { whole } = await readAll(response)
  const without = await plant.ask()
  without.resume()
  await plant.startAgent()

  expect(whole).toBe(false)
  expect(without.headers['sluice-error']).toMatch(/^SLUICE_TUNNEL_(?:OFFLINE|UNKNOWN)$/)
  expect(await plant.status()).toBe(200)
})

test('an upstream killed in the middle cuts its visitors off, is named while it is away, and is found again', async () => {
  await using plant = await Plant.start()
  const response = await plant.ask('/begin')

  await plant.kill('upstream', 'SIGKILL')
  const { whole } = await readAll(response)
  const without = await plant.ask()
  without.resume()
  await plant.startUpstream()

  expect(whole).toBe(false)
  expect([without.statusCode, without.headers['sluice-error']]).toEqual([
    502,
    'SLUICE_UPSTREAM_REFUSED',
  ])
  expect(await plant.status()).toBe(200)
})

test('SIGTERM ends an agent and a relay in order, with exit code 0', async () => {
  await using plant = await Plant.start()
  const agent = once(plant.process('agent'), 'exit')
  const relay = once(plant.process('relay'), 'exit')

  plant.process('agent').kill('SIGTERM')
  expect(await agent).toEqual([0, null])
  plant.process('relay').kill('SIGTERM')
  expect(await relay).toEqual([0, null])
})

test('whoever is silent for too long is given up, and taken back when it speaks again', async () => {
  const silence = async (
    fault: (plant: Plant, proxy: ChaosProxy) => void,
    heal: (plant: Plant, proxy: ChaosProxy) => void,
  ) => {
    await using plant = await Plant.start()
    const proxy = plant.use(new ChaosProxy(plant.ports.http))
    plant.edgeThrough(await proxy.listen())
    await plant.kill('agent', 'SIGKILL')
    await plant.startAgent()

    const response = await plant.ask('/begin')
    fault(plant, proxy)
    // The response ends when the relay gives the session up: 20 to 25 s.
    const { whole } = await readAll(response)
    heal(plant, proxy)
    await plant.untilServed()
    return whole
  }

  /** Its own clock stands still as well: what it heard meanwhile waits for it. */
  const frozenRelay = async () => {
    await using plant = await Plant.start()
    plant.process('relay').kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 27_000))
    plant.process('relay').kill('SIGCONT')
    await plant.untilServed()
  }

  const whole = await Promise.all([
    frozenRelay(),
    silence(
      (plant) => void plant.process('agent').kill('SIGSTOP'),
      (plant) => void plant.process('agent').kill('SIGCONT'),
    ),
    silence(
      (_plant, { chaos }) => void (chaos.blackhole = true),
      (_plant, proxy) => proxy.heal(),
    ),
  ])

  expect(whole).toEqual([undefined, false, false])
})

test('bytes arrive whole through a slow network that slices them, and broken off through one that resets', async () => {
  await using plant = await Plant.start()
  const proxy = plant.use(new ChaosProxy(plant.ports.http))
  plant.edgeThrough(await proxy.listen())
  await plant.kill('agent', 'SIGKILL')
  await plant.startAgent()
  const body = randomBytes(megabyte)
  const digest = createHash('sha256').update(body).digest('hex')

  Object.assign(proxy.chaos, { sliceBytes: 1_009, latencyMs: 0 })
  const sliced = await readAll(await plant.ask(`/large?bytes=${megabyte}`))
  const echo = await plant.ask('/', body)
  const echoed = Buffer.concat(await echo.toArray()).toString()
  Object.assign(proxy.chaos, { sliceBytes: 0, latencyMs: 20, bytesPerSecond: 8 * megabyte })
  const slow = await readAll(await plant.ask(`/large?bytes=${megabyte}`))
  const begun = await plant.ask('/begin')
  proxy.reset()
  const reset = await readAll(begun)
  proxy.heal()
  await plant.untilServed()

  const whole = { bytes: megabyte, whole: true }
  expect([sliced, slow]).toEqual([whole, whole])
  expect(echoed).toBe(digest)
  expect(reset.whole).toBe(false)
})

test('without Redis, frozen or gone, requests are served as before', async () => {
  const redis = await startRedis()
  await using plant = await Plant.start((one) => (one.relayEnv = { REDIS_URL: redis.url }))
  const pid = Number(/process_id:(\d+)/.exec(await infoOf(redis.url))?.[1])
  const statuses = []
  const unseen: unknown[][] = []
  const askUnseen = async (name: string): Promise<void> => {
    const answer = await plant.ask('/', undefined, { host: `${name}.tunnel.localhost` })
    answer.resume()
    unseen.push([answer.statusCode, answer.headers['sluice-error']])
  }

  process.kill(pid, 'SIGSTOP')
  for (let count = 0; count < 20; count += 1) statuses.push(await plant.status())
  process.kill(pid, 'SIGKILL')
  await plant.until(async () => {
    await askUnseen(`unseen-${unseen.length}`)
    return unseen.at(-1)?.[0] === 503
  })
  for (let count = 0; count < 20; count += 1) statuses.push(await plant.status())
  await plant.kill('agent', 'SIGKILL')
  await plant.startAgent()
  await redis.close()

  expect(statuses).toEqual(Array(40).fill(200))
  // Nobody can say any more whether there is such a tunnel.
  expect(unseen.at(-1)).toEqual([503, 'SLUICE_HOST_UNDETERMINED'])
})

test('garbage from visitors and agents ends its own connection and nothing else', async () => {
  await using plant = await Plant.start()
  const session = `GET /_sluice/session HTTP/1.1\r\nHost: edge.tunnel.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
  const closed = Array.from({ length: 100 }, async (_, index) => {
    const socket = connect(plant.ports.http, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    if (index % 2 === 0) socket.write(session)
    socket.end(Buffer.concat([randomBytes(1 + index * 50), Buffer.from('\r\n\r\n')]))
    await once(socket, 'close')
  })

  await Promise.all(closed)

  expect(await plant.status()).toBe(200)
  expect(plant.process('relay').exitCode).toBeNull()
})

test('agents that never say hello, and visitors that never finish, leave others untouched', async () => {
  await using plant = await Plant.start()
  const slow = Array.from({ length: 200 }, (_, index) => {
    const socket = connect(plant.ports.http, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    const start =
      index % 2 === 0
        ? '/_sluice/session HTTP/1.1\r\nHost: edge.tunnel.localhost'
        : `/ HTTP/1.1\r\nHost: ${host}`
    socket.write(`GET ${start}\r\n`)
    return socket
  })

  for (let count = 0; count < 20; count += 1) {
    for (const socket of slow) socket.write('X-A: b\r\n')
    expect(await plant.status()).toBe(200)
  }
  for (const socket of slow) socket.destroy()
})

test('a full disk under the log, or nobody who reads it, fails no request', async () => {
  const full = openSync('/dev/full', 'w')
  await using onFullDisk = await Plant.start((plant) => (plant.relayStdout = full))
  await using unread = await Plant.start()
  closeSync(full)
  unread.process('relay').stdout?.destroy()

  for (const plant of [onFullDisk, unread]) {
    // Each new session is a line of the log.
    await plant.kill('agent', 'SIGKILL')
    await plant.startAgent()
    expect(await plant.status()).toBe(200)
    expect(plant.process('relay').exitCode).toBeNull()
  }
})

async function infoOf(url: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('INFO server\r\n')
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}
