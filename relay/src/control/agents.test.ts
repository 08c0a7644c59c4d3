import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

import { openTestRedis } from '@sluice/kit/testing'
import { authenticationCachedMs } from '@sluice/schema/claims'
import { ForgeryBatch, redisChannels, redisKeys } from '@sluice/schema/redis'
import { Redis } from 'ioredis'
import { generateKeyPair } from 'jose'
import { expect, inject, test } from 'vitest'
import { WebSocket } from 'ws'

import { apex, createWorld, host } from '../testing/world.ts'

const get = (name = host, headers = '') =>
  `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n${headers}\r\n`

test('of two sessions the higher epoch has the endpoint host at once, and the lower is told so', async () => {
  await using world = await createWorld()
  const first = await world.tunnel(await world.upstream((_, response) => response.end('first')))
  await world.tunnel(await world.upstream((_, response) => response.end('second')), { epoch: 2 })

  expect(await first.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  expect(await world.exchange(get())).toContain('second')
})

test('a session of an older epoch is refused and changes nothing', async () => {
  await using world = await createWorld()
  await world.tunnel(await world.upstream((_, response) => response.end('new')), { epoch: 5 })

  const late = await world.dial(1, await world.agentToken({ epoch: 4 }))

  expect(await late.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  expect(await world.exchange(get())).toContain('new')
})

test('at the same epoch the newer session replaces the older', async () => {
  await using world = await createWorld()
  const first = await world.tunnel(await world.upstream((_, response) => response.end('first')))
  await world.tunnel(await world.upstream((_, response) => response.end('second')))

  await first.closed
  expect(await world.exchange(get())).toContain('second')
})

test('a token of a foreign key, an expired one and one of another audience are refused', async () => {
  await using world = await createWorld()
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const now = Math.floor(Date.now() / 1000)
  const tokens = [
    await world.agentToken({}, privateKey),
    await world.agentToken({ iat: now - 600, exp: now - 300 }),
    'not.a.token',
  ]

  for (const token of tokens) {
    const agent = await world.dial(1, token)
    expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
  }
})

test('tokens of a foreign key are told, however many, as one line', async () => {
  const redisServer = await openTestRedis(inject('redisUrl'))
  const redis = new Redis(redisServer.url)
  const world = await createWorld({ redisUrl: redisServer.url })
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const now = Math.floor(Date.now() / 1000)
  for (const token of [
    await world.agentToken({}, privateKey),
    await world.agentToken({ tunnelId: 'tunnel-2' }, privateKey),
    await world.agentToken({ iat: now - 600, exp: now - 300 }),
  ]) {
    await (
      await world.dial(1, token)
    ).refused
  }
  // What was seen is told before the relay is gone.
  await world[Symbol.asyncDispose]()

  const entries = await redis.xrange(redisKeys.forgeries, '-', '+')
  redis.disconnect()
  await redisServer[Symbol.asyncDispose]()
  const told = entries.map(([, fields]) => ForgeryBatch.parse(JSON.parse(fields[1] ?? '')))
  const ip = expect.stringContaining('127.0.0.1')
  expect(told.flatMap(({ seen }) => seen).every(({ forged }) => forged === 'agent token')).toBe(
    true,
  )
  expect(told.flatMap(({ seen }) => seen).reduce((sum, { count }) => sum + count, 0)).toBe(2)
  expect(told[0]).toMatchObject({ part: expect.stringMatching(/^relay /), seen: [{ ip }] })
})

test('a session ends when its token expires, unless it was renewed', async () => {
  await using world = await createWorld()
  const exp = Math.floor(Date.now() / 1000) + 3
  const agent = await world.tunnel(1, { exp })
  const renewed = await world.tunnel(
    await world.upstream((_, response) => response.end('still here')),
    { exp, tunnelId: 'tunnel-2', endpointHosts: [`renewed.${apex}`] },
  )
  renewed.session.renewToken(
    await world.agentToken({ tunnelId: 'tunnel-2', endpointHosts: [`renewed.${apex}`] }),
  )

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
  expect(await world.exchange(get(`renewed.${apex}`))).toContain('still here')
})

test('a renewal may bring other hosts and another policy, but no other tunnel', async () => {
  await using world = await createWorld()
  const upstream = await world.upstream((_, response) => response.end('reached'))
  const agent = await world.tunnel(upstream)
  agent.session.renewToken(
    await world.agentToken({
      endpointHosts: [`new.${apex}`],
      policy: { denyIps: ['127.0.0.0/8'] },
    }),
  )
  const visitor = await world.visitor()
  let received = ''
  while (!received.includes('SLUICE_IP_DENIED')) received = await world.exchange(get(`new.${apex}`))
  visitor.socket.destroy()

  agent.session.renewToken(await world.agentToken({ tunnelId: 'tunnel-of-others' }))

  expect(await agent.refused).toMatchObject({ code: 'SLUICE_AGENT_TOKEN_INVALID' })
})

test('the decisions come in their order: basic auth, address, concurrency', async () => {
  await using world = await createWorld()
  const salt = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
  const digest = createHash('sha256').update(salt).update('secret').digest('hex')
  const policy = {
    basicAuth: [{ user: 'ada', verifier: `sha256:${salt.toString('hex')}:${digest}` }],
    denyIps: ['127.0.0.1'],
  }
  const upstream = await world.upstream((request, response) =>
    response.end(`authorization: ${request.headers.authorization}`),
  )
  await world.tunnel(upstream, { policy })
  const authorization = (text: string) =>
    `Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`

  const none = await world.exchange(get())
  const wrong = await world.exchange(get(host, authorization('ada:guess')))
  const nobody = await world.exchange(get(host, authorization('eve:secret')))
  const denied = await world.exchange(get(host, authorization('ada:secret')))
  await world.tunnel(upstream, {
    policy: { basicAuth: policy.basicAuth, allowIps: ['127.0.0.0/8'] },
    epoch: 2,
  })
  const allowed = await world.exchange(get(host, authorization('ada:secret')))

  for (const answer of [none, wrong, nobody]) {
    expect(answer).toMatch(/^HTTP\/1\.1 401 [^]*WWW-Authenticate: Basic/)
  }
  expect(denied).toMatch(/^HTTP\/1\.1 403 [^]*SLUICE_IP_DENIED/)
  expect(allowed).toContain('authorization: undefined')
})

test('the request beyond the limit gets 429 with Retry-After, and the next one passes when one has ended', async () => {
  await using world = await createWorld()
  const waiting: (() => void)[] = []
  const arrived = Promise.withResolvers<void>()
  const upstream = await world.upstream((_, response) => {
    waiting.push(() => response.end('done'))
    if (waiting.length === 2) arrived.resolve()
  })
  await world.tunnel(upstream, { maxConcurrentConns: 2 })
  const two = [world.exchange(get()), world.exchange(get())]
  await arrived.promise

  const third = await world.exchange(get())
  for (const end of waiting) end()
  await Promise.all(two)
  const fourth = world.exchange(get())
  while (waiting.length < 3) await new Promise((resolve) => setImmediate(resolve))
  waiting[2]?.()

  expect(third).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: 1/)
  expect(await fourth).toContain('done')
})

test('a host is offline when Redis knows it or it was served here, and unknown otherwise', async () => {
  const redis = new Redis(inject('redisUrl'))
  const known = `${crypto.randomUUID()}.${apex}`
  await redis.hset(redisKeys.endpointHosts, known, 'tunnel-9')
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const agent = await world.tunnel(1)
  agent.session.close()
  let offline = ''
  while (!offline.includes('SLUICE_TUNNEL_OFFLINE')) offline = await world.exchange(get(known))

  expect(await world.exchange(get(host))).toMatch(/^HTTP\/1\.1 503 /)
  expect(await world.exchange(get(`unknown.${apex}`))).toMatch(
    /^HTTP\/1\.1 404 [^]*SLUICE_TUNNEL_UNKNOWN/,
  )
  await redis.hdel(redisKeys.endpointHosts, known)
  redis.disconnect()
})

test('a relay whose Redis is away serves all the same', async () => {
  await using world = await createWorld({ redisUrl: 'redis://127.0.0.1:1' })
  await world.tunnel(await world.upstream((_, response) => response.end('served')))

  expect(await world.exchange(get())).toContain('served')
  expect(await world.exchange(get(`other.${apex}`))).toMatch(
    /^HTTP\/1\.1 503 [^]*SLUICE_HOST_UNDETERMINED[^]*Retry-After: 5/,
  )
})

test('a revoked tunnel and a revoked authtoken lose their sessions, others keep theirs', async () => {
  const redis = new Redis(inject('redisUrl'))
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const ids = { tunnel: crypto.randomUUID(), authtoken: crypto.randomUUID() }
  const other = { tunnelId: 'tunnel-3', endpointHosts: [`three.${apex}`] }
  const byTunnel = await world.tunnel(1, { tunnelId: ids.tunnel })
  const byAuthtoken = await world.tunnel(1, {
    sub: ids.authtoken,
    tunnelId: 'tunnel-2',
    endpointHosts: [`two.${apex}`],
  })
  await world.tunnel(await world.upstream((_, response) => response.end('kept')), other)
  const at = new Date().toISOString()
  const heard = async (): Promise<boolean> =>
    Number((await redis.pubsub('NUMSUB', redisChannels.revocations))[1]) > 0
  while (!(await heard())) await new Promise((resolve) => setImmediate(resolve))

  await redis.publish(
    redisChannels.revocations,
    JSON.stringify({ kind: 'tunnel', id: ids.tunnel, at }),
  )
  await redis.publish(
    redisChannels.revocations,
    JSON.stringify({ kind: 'authtoken', id: ids.authtoken, at }),
  )

  expect(await byTunnel.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(await byAuthtoken.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(await world.exchange(get(`three.${apex}`))).toContain('kept')
  const dialWith = async (iat: number) =>
    world.dial(1, await world.agentToken({ sub: ids.authtoken, iat, exp: iat + 300 }))
  const revokedSecond = Math.floor(Date.parse(at) / 1000)
  // A gateway that has not heard of it yet may still let somebody start, on the strength of what it remembers.
  const remembered = revokedSecond + authenticationCachedMs / 1000
  for (const iat of [revokedSecond - 60, revokedSecond + 1, remembered]) {
    expect(await (await dialWith(iat)).refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  }
  const since = remembered + 1
  await world.tunnel(1, { sub: ids.authtoken, iat: since, exp: since + 300 })
  redis.disconnect()
})

test('a membership that ends or changes takes the tunnels that the person has started by their sign-in, and no others', async () => {
  const redis = new Redis(inject('redisUrl'))
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const ids = { organization: crypto.randomUUID(), user: crypto.randomUUID() }
  const bySignIn = await world.tunnel(1, {
    organizationId: ids.organization,
    sub: ids.user,
    tunnelId: 'tunnel-2',
    endpointHosts: [`two.${apex}`],
  })
  const upstream = await world.upstream((_, response) => response.end('kept'))
  const elsewhere = { tunnelId: 'tunnel-3', endpointHosts: [`three.${apex}`], sub: ids.user }
  await world.tunnel(upstream, { ...elsewhere, organizationId: crypto.randomUUID() })
  await world.tunnel(upstream, {
    organizationId: ids.organization,
    sub: crypto.randomUUID(),
    tunnelId: 'tunnel-4',
    endpointHosts: [`four.${apex}`],
  })
  const heard = async (): Promise<boolean> =>
    Number((await redis.pubsub('NUMSUB', redisChannels.revocations))[1]) > 0
  while (!(await heard())) await new Promise((resolve) => setImmediate(resolve))

  const id = `${ids.organization}:${ids.user}`
  const at = new Date().toISOString()
  await redis.publish(redisChannels.revocations, JSON.stringify({ kind: 'membership', id, at }))

  expect(await bySignIn.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  expect(await world.exchange(get(`three.${apex}`))).toContain('kept')
  expect(await world.exchange(get(`four.${apex}`))).toContain('kept')
  const iat = Math.floor(Date.now() / 1000) - 60
  const older = { organizationId: ids.organization, sub: ids.user, iat }
  const again = await world.dial(1, await world.agentToken(older))
  expect(await again.refused).toMatchObject({ code: 'SLUICE_SESSION_REVOKED' })
  redis.disconnect()
})

test('requests leave records without secrets, usage that is exact, and presence', async () => {
  const redis = new Redis(inject('redisUrl'))
  await using world = await createWorld({ redisUrl: inject('redisUrl') })
  const tunnelId = crypto.randomUUID()
  const traffic = new Redis(inject('redisUrl'))
  const heard = Promise.withResolvers<string>()
  traffic.on('message', (_channel, message: string) => heard.resolve(message))
  await traffic.subscribe(redisChannels.traffic(tunnelId))
  const upstream = await world.upstream((_, response) =>
    response.setHeader('set-cookie', 'sid=hush').end('answer'),
  )
  await world.tunnel(upstream, { tunnelId })
  let presence: string | null = null
  while (presence === null) {
    await world.exchange(
      get(host, 'Cookie: hush=1\r\nAuthorization: Bearer hush\r\n').replace(
        'GET /',
        'GET /a?access_token=hush&b=1',
      ),
    )
    presence = await redis.get(redisKeys.presence(tunnelId))
  }

  const message = await heard.promise
  const [record] = JSON.parse(message)
  expect(message).not.toContain('hush')
  expect(record).toMatchObject({
    tunnelId,
    method: 'GET',
    path: '/a?access_token=[redacted]&b=1',
    status: 200,
    code: null,
    responseBytes: 6,
  })
  expect(JSON.parse(presence)).toMatchObject({ tunnelId, relayId: 'relay-1', epoch: 1 })
  let counted: { requests: number; bytesOut: number } | undefined
  while (!counted) {
    const entries = await redis.xrevrange(redisKeys.usage, '+', '-', 'COUNT', 20)
    const counts = entries.flatMap(([, [, batch = '{}']]) => JSON.parse(batch).counts ?? [])
    counted = counts.find((count: { tunnelId: string }) => count.tunnelId === tunnelId)
  }
  expect(counted.bytesOut).toBe(counted.requests * 6)
  redis.disconnect()
  traffic.disconnect()
})

test('on close, agents are sent away, streams in flight finish, new requests are refused', async () => {
  await using world = await createWorld()
  const arrived = Promise.withResolvers<() => void>()
  const upstream = await world.upstream((_, response) => {
    response.write('begun ')
    arrived.resolve(() => response.end('and ended'))
  })
  const agent = await world.tunnel(upstream)
  const visitor = await world.visitor()
  visitor.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  const finish = await arrived.promise

  const closing = world.relay.close()
  // Whoever was in the kernel's queue when the port closed is reset instead.
  await expect(world.visitor()).rejects.toThrow(/ECONN(?:REFUSED|RESET)/)
  finish()

  expect(await visitor.rest()).toContain('and ended')
  await closing
  await agent.closed
})

test('an ordinary WebSocket client with random masks is a valid agent', async () => {
  await using world = await createWorld()
  const socket = new WebSocket(`ws://127.0.0.1:${world.relay.httpPort}/_sluice/session`, {
    headers: { host: `edge.${apex}` },
  })
  await new Promise((resolve) => socket.once('open', resolve))
  const hello = Buffer.from(
    JSON.stringify({
      versions: [1],
      features: [],
      agentToken: await world.agentToken(),
      agentVersion: 'ws',
      streamWindowBytes: 1000,
      sessionWindowBytes: 1000,
    }),
  )
  const answered = new Promise<Buffer>((resolve) => socket.once('message', resolve))

  socket.send(
    Buffer.concat([Buffer.from([1, 0, hello.length >> 8, hello.length & 255, 0, 0, 0, 0]), hello]),
  )

  expect((await answered).toString('latin1')).toContain('sessionId')
  const ponged = new Promise((resolve) => socket.once('pong', resolve))
  socket.ping('x')
  await ponged
  socket.terminate()
})

test.for([
  ['a text message', (socket: WebSocket) => socket.send('hello')],
  [
    'a frame larger than allowed',
    (socket: WebSocket) => socket.send(Buffer.from([1, 2, 0, 0, 0, 0, 0, 0])),
  ],
  [
    'data before hello',
    (socket: WebSocket) => socket.send(Buffer.from([11, 0, 0, 1, 0, 0, 0, 1, 65])),
  ],
  [
    'a hello that is not JSON',
    (socket: WebSocket) => socket.send(Buffer.from([1, 0, 0, 1, 0, 0, 0, 0, 65])),
  ],
] as const)('%s closes the link with its code', async ([, violate]) => {
  await using world = await createWorld()
  const socket = new WebSocket(`ws://127.0.0.1:${world.relay.httpPort}/_sluice/session`, {
    headers: { host: `edge.${apex}` },
  })
  await new Promise((resolve) => socket.once('open', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))

  violate(socket)

  expect(await closed).toBe(4400)
})

test('the edge host serves nothing but sessions', async () => {
  await using world = await createWorld()

  expect(await world.exchange(get(`edge.${apex}`))).toContain('SLUICE_TUNNEL_UNKNOWN')
})

test('the console host is served from the gateway, upgrades included', async () => {
  const gateway = createServer((request, response) =>
    response.end(`console ${String(request.headers['x-forwarded-host'])}`),
  )
  gateway.on('upgrade', (_request, socket) =>
    socket.end(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi',
    ),
  )
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const address = gateway.address()
  const port = typeof address === 'object' ? address?.port : 0
  await using world = await createWorld({
    console: { host: 'console.test', gatewayUrl: `http://127.0.0.1:${port}` },
  })
  world.use(() => {
    gateway.close()
    gateway.closeAllConnections()
  })

  expect(await world.exchange(get('console.test'))).toContain('console console.test')
  const visitor = await world.visitor()
  visitor.send(
    'GET / HTTP/1.1\r\nHost: console.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  await visitor.until((received) => received.endsWith('\r\n\r\nhi'))
})

test('health and metrics are on the admin port', async () => {
  await using world = await createWorld()
  await world.tunnel(await world.upstream((_, response) => response.end('counted')))
  await world.exchange(get())
  await world.exchange(get(`unknown.${apex}`))
  const admin = `http://127.0.0.1:${world.relay.adminPort}`

  const metrics = await (await fetch(`${admin}/metrics`)).text()

  expect((await fetch(`${admin}/readyz`)).status).toBe(200)
  expect(metrics).toMatch(/sluice_relay_requests_total\{status="2xx"[^}]*\} 1/)
  expect(metrics).toMatch(/sluice_relay_rejections_total\{code="SLUICE_TUNNEL_UNKNOWN"[^}]*\} 1/)
  expect(metrics).toMatch(/sluice_relay_sessions\{?[^}]*\}? 1/)
  expect(metrics).toMatch(/sluice_relay_request_duration_seconds_count\{?[^}]*\}? 2/)
})
