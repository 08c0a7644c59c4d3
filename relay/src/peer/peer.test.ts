import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test, vi } from 'vitest'

import { Relays } from '../testing/relays.ts'
import { portOf, type Visitor, type World } from '../testing/world.ts'

const waitMs = { timeout: 15_000 }

function relays(): Relays {
  return new Relays(inject('redisUrl'))
}

function get(host: string, path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`
}

/** Asks until the relay has heard where the host is. */
async function served(world: World, host: string): Promise<string> {
  return vi.waitFor(async () => {
    const answer = await world.exchange(get(host, '/ready'))
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    return answer
  }, waitMs)
}

async function bodyOf(visitor: Visitor): Promise<string> {
  const text = await visitor.rest()
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

test('a relay without the tunnel serves its host through the relay that has it, with the visitor’s own address', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((request, response) => {
    response.end(JSON.stringify([request.url, request.headers]))
  })
  await a.tunnel(upstream, claims)
  await served(b, host)

  const answer = await b.exchange(
    get(
      host,
      '/x?y',
      'X-Own: kept\r\nX-Forwarded-For: 1.2.3.4\r\nSluice-Peer: 9 https 1.2.3.4 -\r\n',
    ),
  )

  expect(answer).toContain('"/x?y"')
  expect(answer).toContain('"x-own":"kept"')
  expect(answer).toContain('"x-forwarded-for":"127.0.0.1"')
  expect(answer).toContain('"x-forwarded-proto":"http"')
  expect(answer).not.toContain('1.2.3.4')
  expect(answer).not.toContain('sluice-peer')
})

test('a host that no relay has is unknown, and one that was served is offline', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  const agent = await a.tunnel(upstream, claims)
  await served(b, host)

  agent.session.close()
  await agent.closed

  await vi.waitFor(async () => {
    expect(await b.exchange(get(host))).toContain('sluice-error: SLUICE_TUNNEL_')
  }, waitMs)
  expect(await b.exchange(get(`none.${host}`))).toContain('sluice-error: SLUICE_TUNNEL_UNKNOWN')
})

test('the holder’s policy is applied to the visitor, and its refusals reach the visitor as they are', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  await a.tunnel(upstream, claims)
  await served(b, host)
  await a.tunnel(upstream, { ...claims, epoch: 2, policy: { denyIps: ['127.0.0.0/8'] } })

  await vi.waitFor(async () => {
    expect(await b.exchange(get(host))).toContain('sluice-error: SLUICE_IP_DENIED')
  }, waitMs)
})

test('bodies, trailers, interim responses and chunks pass between relays', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((request, response) => {
    if (request.url === '/ready') {
      response.end()
      return
    }
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    const hash = createHash('sha256')
    request.on('data', (piece) => hash.update(piece))
    request.on('end', () => {
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('first ')
      response.addTrailers({
        'x-sum': hash.digest('hex'),
        'x-had': request.trailers['x-sent'] ?? '',
      })
      response.end('second')
    })
  })
  await a.tunnel(upstream, claims)
  await served(b, host)
  const body = 'chunk '.repeat(50_000)

  const visitor = await b.visitor()
  visitor.send(
    `POST /up HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x-sent\r\n\r\n`,
  )
  visitor.send(`${body.length.toString(16)}\r\n${body}\r\n0\r\nx-sent: yes\r\n\r\n`)
  const answer = await visitor.rest()

  expect(answer).toMatch(/^HTTP\/1.1 103 /)
  expect(answer).toContain('first ')
  expect(answer).toContain('second')
  expect(answer).toContain(`x-sum: ${createHash('sha256').update(body).digest('hex')}`)
  expect(answer).toContain('x-had: yes')
})

test('an upgraded connection passes between relays, both ways and with half-closes', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((_request, response) => response.end())
  upstream.on('upgrade', (_request, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ',
    )
    socket.on('data', (piece) => socket.write(piece))
    socket.on('end', () => socket.end('bye'))
  })
  await a.tunnel(upstream, claims)
  await served(b, host)

  const visitor = await b.visitor()
  visitor.send(
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly `,
  )
  await visitor.until((received) => received.includes('hello early'))
  visitor.send('late ')
  await visitor.until((received) => received.includes('late'))
  visitor.socket.end()

  expect(await bodyOf(visitor)).toBe('hello early late bye')
})

test('a visitor that aborts is an abort for the upstream behind the other relay', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const aborted = Promise.withResolvers<void>()
  const upstream = await a.upstream((request, response) => {
    if (request.url === '/ready') response.end()
    else response.on('close', aborted.resolve).write('begun')
  })
  await a.tunnel(upstream, claims)
  await served(b, host)

  const visitor = await b.visitor()
  visitor.send(get(host, '/long'))
  await visitor.until((received) => received.includes('begun'))
  visitor.socket.destroy()

  await expect(aborted.promise).resolves.toBeUndefined()
})

test('a request by a stale route finds the tunnel where it is now, with its body', async () => {
  await using all = relays()
  const [a, b, c] = [await all.start('a'), await all.start('b'), await all.start('c')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((request, response) => {
    request.pipe(response)
  })
  const agent = await a.tunnel(upstream, claims)
  await served(c, host)

  // The third relay hears nothing of the move: it is told something else by Redis before, and looks again.
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  await b.tunnel(upstream, { ...claims, epoch: 2 })
  await agent.refused
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => {
      const body = `body ${index}`
      return c.exchange(
        `POST /e HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    }),
  )

  for (const [index, answer] of answers.entries()) {
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(answer).toContain(`body ${index}`)
  }
})

test('of two epochs the newer one wins on every relay, and the older never serves again', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const old = await a.upstream((_request, response) => response.end('old'))
  const young = await b.upstream((_request, response) => response.end('new'))
  const first = await a.tunnel(old, claims)

  await b.tunnel(young, { ...claims, epoch: 2 })

  expect(await first.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  await vi.waitFor(async () => {
    expect(await a.exchange(get(host))).toContain('new')
  }, waitMs)
  const again = await a.dial(portOf(old), await a.agentToken(claims))
  expect(await again.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  expect(await a.exchange(get(host))).toContain('new')
})

test('an older epoch that comes up while nobody is told loses at its claim', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  await b.tunnel(upstream, { ...claims, epoch: 2 })
  await served(a, claims.endpointHosts[0] ?? '')
  const c = await all.start('c')

  const old = await c.dial(portOf(upstream), await c.agentToken(claims))

  expect(await old.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
})

test('requests go on while Redis has forgotten everything', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a'), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  await a.tunnel(upstream, claims)
  await served(b, host)
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())

  await redis.del(`sluice:routes:${claims.tunnelId}`, `sluice:route-of:${host}`)

  expect(await b.exchange(get(host))).toMatch(/^HTTP\/1.1 200 /)
})

test('what comes without a valid preface is cut off before it is read', async () => {
  await using all = relays()
  const a = await all.start('a')

  for (const bytes of [
    `GET / HTTP/1.1\r\nHost: x\r\n\r\n`,
    `SLUICE-PEER/1 e30 AAAA\r\n${get('x')}`,
    'x'.repeat(10_000),
  ]) {
    const socket = connect({ port: a.relay.peerPort ?? 0, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    let received = ''
    socket.on('data', (piece) => (received += piece.toString()))
    socket.write(bytes)
    await once(socket, 'close')
    expect(received).toBe('')
  }
})

test('sessions of a pool share requests by least in flight, over relays too', async () => {
  await using all = relays()
  // The requests stay open until all have come, however slow the machine is.
  const patient = { responseHeadTimeoutMs: 60_000 }
  const [a, b] = [await all.start('a', patient), await all.start('b', patient)]
  const claims = { ...all.claims(), pooling: true }
  const [host = ''] = claims.endpointHosts
  const inFlight = new Map<string, (() => void)[]>()
  const member = async (world: World, name: string) => {
    const upstream = await world.upstream((request, response) => {
      if (request.url === '/ready') response.end(name)
      else inFlight.set(name, [...(inFlight.get(name) ?? []), () => response.end(name)])
    })
    await world.tunnel(upstream, claims)
  }
  await member(a, 'one')
  await member(a, 'two')
  await member(b, 'three')
  // Warm: relay a knows of the member at relay b.
  await vi.waitFor(async () => {
    const redis = new Redis(inject('redisUrl'))
    const holders = await redis.hlen(`sluice:routes:${claims.tunnelId}`)
    redis.disconnect()
    expect(holders).toBe(2)
  }, waitMs)
  await served(a, host)

  const answers: Promise<string>[] = []
  const count = (): number => [...inFlight.values()].reduce((sum, { length }) => sum + length, 0)
  for (let sent = 1; sent <= 9; sent += 1) {
    answers.push(a.exchange(get(host, '/slow')))
    await vi.waitFor(() => expect(count()).toBe(sent), waitMs)
  }

  const shares = ['one', 'two', 'three'].map((name) => inFlight.get(name)?.length ?? 0)
  expect(shares.every((share) => share >= 2)).toBe(true)
  for (const finish of [...inFlight.values()].flat()) finish()
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 200 /)
})

test('a request of a pool whose member dies before the first byte is served by another one', async () => {
  await using all = relays()
  const a = await all.start('a')
  const claims = { ...all.claims(), pooling: true }
  const [host = ''] = claims.endpointHosts
  const arrived = Promise.withResolvers<void>()
  const dying = await a.upstream(() => arrived.resolve())
  const living = await a.upstream((_request, response) => response.end('alive'))
  const first = await a.tunnel(dying, claims)
  const answer = a.exchange(get(host))
  await arrived.promise
  const posted = a.visitor()
  ;(await posted).send(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`,
  )
  await vi.waitFor(() => expect(first.session.streamCount).toBe(2), waitMs)
  await a.tunnel(living, claims)

  first.socket.destroy()

  expect(await answer).toContain('alive')
  // Whether this one was acted on is unknown: it must not be done twice.
  expect(await (await posted).rest()).toContain('sluice-error: SLUICE_AGENT_LOST')
})

test('an agent of a pool that comes back replaces its own remains, and no other member', async () => {
  await using all = relays()
  const a = await all.start('a')
  const claims = { ...all.claims(), pooling: true }
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  const one = { features: ['agent:one'] }
  const other = await a.tunnel(upstream, claims, { features: ['agent:two'] })
  const remains = await a.tunnel(upstream, claims, one)

  await a.tunnel(upstream, claims, one)

  expect(await remains.refused).toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
  expect(other.session.closed).toBe(false)
})

test('a relay that drains serves on until its agent is elsewhere, then sends its visitors there', async () => {
  await using all = relays()
  const [a, b] = [await all.start('a', { drainMs: 10_000 }), await all.start('b')]
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((request, response) => {
    if (request.url === '/held') setTimeout(() => response.end('held'), 1_500)
    else response.end('ok')
  })
  const agent = await a.tunnel(upstream, claims)
  const held = a.exchange(get(host, '/held'))

  const closing = a.relay.close()
  await agent.goneAway
  expect(await a.exchange(get(host))).toMatch(/^HTTP\/1.1 200 /)
  await b.tunnel(upstream, claims)

  expect(await held).toContain('held')
  await closing
  expect(await b.exchange(get(host))).toMatch(/^HTTP\/1.1 200 /)
})

test('a process that shares its port and drains leaves it to the others before it sends its agents away', async () => {
  await using all = relays()
  const a = await all.start('a', { drainMs: 10_000, reusePort: true })
  const claims = all.claims()
  const [host = ''] = claims.endpointHosts
  const upstream = await a.upstream((_request, response) => response.end('ok'))
  const agent = await a.tunnel(upstream, claims)
  const b = await all.start('b', { httpPort: a.relay.httpPort, reusePort: true })

  const closing = a.relay.close()
  await agent.goneAway

  // The kernel would lead about every second one to the process that is leaving.
  const others = Array.from({ length: 10 }, (_, index) => all.claims(`other-${index}`))
  await Promise.all(others.map((other) => b.tunnel(upstream, other)))
  expect(await b.exchange(get(host))).toMatch(/^HTTP\/1.1 200 /)
  await b.tunnel(upstream, claims)
  await closing
  expect(await b.exchange(get(host))).toMatch(/^HTTP\/1.1 200 /)
})
