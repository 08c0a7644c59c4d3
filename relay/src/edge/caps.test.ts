import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { createWorld, host, portOf, type World } from '../testing/world.ts'

const get = (path = '/', lines = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`
const once = 'Connection: close\r\n'

async function figure(world: World, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)
  const line = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(await response.text())
  return Number(line?.[1] ?? 0)
}

/** Asks until a figure is what it is to be: what counts happens when the relay hears of it. */
async function untilFigure(world: World, name: string, wanted: number): Promise<void> {
  while ((await figure(world, name)) !== wanted)
    await new Promise((resolve) => setTimeout(resolve, 20))
}

test('beyond the limit connections wait unread, and are served as others close', async () => {
  await using world = await createWorld({ connectionsMax: 6, idleTimeoutMs: 30_000 })
  const finish: (() => void)[] = []
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/held') finish.push(() => response.end('held'))
    else response.end('served')
  })
  // The agent's link is no visitor.
  await world.tunnel(upstream)
  const held = await Promise.all(Array.from({ length: 6 }, () => world.visitor()))
  for (const visitor of held) visitor.send(get('/held', once))
  await untilFigure(world, 'sluice_relay_streams', 6)

  const waiting = await Promise.all(Array.from({ length: 20 }, () => world.visitor()))
  for (const { socket } of [...held, ...waiting]) socket.on('end', () => socket.end())
  for (const visitor of waiting) visitor.send(get('/', once))
  const atLimit = await figure(world, 'sluice_relay_visitor_connections')
  const before = waiting.map(({ received }) => received)
  for (const end of finish) end()

  for (const visitor of waiting) expect(await visitor.rest()).toContain('served')
  expect(before.join('')).toBe('')
  expect(atLimit).toBe(6)
  await untilFigure(world, 'sluice_relay_visitor_connections', 0)
  expect(await figure(world, 'sluice_relay_connections_refused_total')).toBe(0)
})

test('a visitor that waits comes before those that only keep their connection', async () => {
  await using world = await createWorld({ connectionsMax: 4, idleTimeoutMs: 60_000 })
  await world.tunnel(await world.upstream((_request, response) => response.end('served')))
  const idle = await Promise.all(Array.from({ length: 4 }, () => world.visitor()))
  for (const visitor of idle) {
    visitor.send(get())
    await visitor.until((text) => text.includes('served'))
    // What a client does when its kept connection ends.
    visitor.socket.on('end', () => visitor.socket.end())
  }

  expect(await world.exchange(get('/', once))).toContain('served')
})

test('more than may wait are closed and counted, and the relay recovers', async () => {
  await using world = await createWorld({ connectionsMax: 2, connectionsWaitingMax: 3 })
  await world.tunnel(await world.upstream((_request, response) => response.end('served')))
  const visitors = []
  for (let count = 0; count < 10; count += 1) {
    const visitor = await world.visitor()
    visitor.send('GET / HTTP/1.1\r\n')
    visitors.push(visitor)
  }
  await untilFigure(world, 'sluice_relay_connections_refused_total', 5)

  for (const visitor of visitors) visitor.socket.destroy()
  await untilFigure(world, 'sluice_relay_visitor_connections', 0)

  expect(await world.exchange(get('/', once))).toContain('served')
})

test('one address has so many connections at most, and agents are none of them', async () => {
  await using world = await createWorld({ connectionsPerAddressMax: 3 })
  const upstream = await world.upstream((_request, response) => response.end('served'))
  for (let epoch = 1; epoch <= 5; epoch += 1) await world.tunnel(upstream, { epoch })
  const three = await Promise.all(Array.from({ length: 3 }, () => world.visitor()))
  for (const visitor of three) {
    visitor.send(get())
    await visitor.until((text) => text.includes('served'))
  }

  const fourth = await world.visitor()
  fourth.send(get())
  expect(await fourth.rest()).toBe('')
  three[0]?.socket.end()
  await untilFigure(world, 'sluice_relay_visitor_connections', 2)

  expect(await world.exchange(get('/', once))).toContain('served')
})

test('hundreds of visitors that never finish their request leave others untouched', async () => {
  await using world = await createWorld({ connectionsMax: 1_000, headTimeoutMs: 60_000 })
  await world.tunnel(await world.upstream((_request, response) => response.end('served')))
  const slow = await Promise.all(Array.from({ length: 200 }, () => world.visitor()))
  for (const visitor of slow) visitor.send('GET / HTTP/1.1\r\nHost: a')
  await untilFigure(world, 'sluice_relay_visitor_connections', 200)

  for (let count = 0; count < 20; count += 1) {
    for (const visitor of slow.slice(count * 10, count * 10 + 10)) visitor.send('a')
    expect(await world.exchange(get('/', once))).toContain('served')
  }
  for (const visitor of slow) visitor.socket.destroy()

  await untilFigure(world, 'sluice_relay_visitor_connections', 0)
})

test('downloads that are broken off leave nothing behind: no stream, no connection, and all credit', async () => {
  await using world = await createWorld()
  const large = Buffer.alloc(4 * 1_048_576)
  const upstream = await world.upstream((request, response) => {
    if (request.url === '/large') response.end(large)
    else response.end('served')
  })
  const agent = await world.tunnel(
    upstream,
    {},
    { windows: { streamWindowBytes: 65_536, sessionWindowBytes: 131_072 } },
  )
  for (let round = 0; round < 20; round += 1) {
    const visitors = await Promise.all(Array.from({ length: 10 }, () => world.visitor()))
    for (const [index, visitor] of visitors.entries()) {
      visitor.send(get('/large'))
      if (index % 2 === 0) await visitor.until((text) => text.length > 0)
      visitor.socket.destroy()
    }
  }

  await untilFigure(world, 'sluice_relay_visitor_connections', 0)
  await untilFigure(world, 'sluice_relay_streams', 0)
  expect(await world.exchange(get('/', once))).toContain('served')
  while (agent.session.streamCount > 0 || !agent.session.creditReturned) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})

test('a reader of almost nothing holds a few windows of a huge response in memory, and no more', async () => {
  await using world = await createWorld()
  let sent = 0
  const server = createServer((socket) => {
    const piece = Buffer.alloc(65_536)
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n')
      const pour = (): void => {
        while (socket.write(piece)) sent += piece.length
        sent += piece.length
      }
      socket.on('drain', pour)
      pour()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.use(() => void server.close())
  await world.tunnel(
    portOf(server),
    {},
    { windows: { streamWindowBytes: 262_144, sessionWindowBytes: 524_288 } },
  )
  const visitor = await world.visitor()
  visitor.socket.pause()
  visitor.send(get())

  // Until the upstream may send no more for a second.
  for (let before = -1; before !== sent || sent === 0;) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }

  // Two windows on the way, and what kernels keep of four sockets.
  expect(sent).toBeLessThan(32 * 1_048_576)
  visitor.socket.destroy()
  await untilFigure(world, 'sluice_relay_streams', 0)
})
