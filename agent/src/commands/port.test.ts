import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'

import { expect, test, vi } from 'vitest'

import { clientHello } from '../client-hello.ts'
import { readSettings } from '../config.ts'
import { fixtureAuthtoken } from '../graph-fixture.ts'
import { createOutput } from '../output.ts'
import { openPlatformFixture } from '../platform-fixture.ts'
import { Interrupted } from '../problem.ts'
import type { CommandContext, Io } from './context.ts'
import { runPort, type PortFlags, type PortKind } from './port.ts'

// Each starts a relay, and a check that fails takes its time.
vi.setConfig({ testTimeout: 40_000 })

interface Event {
  readonly event: string
  readonly url?: string
  readonly [field: string]: unknown
}

/** `sluice tcp`, `tls` and `udp` as functions, against a real relay. */
async function openWorld() {
  await using stack = new AsyncDisposableStack()
  const platform = stack.use(await openPlatformFixture())
  const stop = new AbortController()
  const stdout = new PassThrough()
  const events: Event[] = []
  let wake: () => void = () => undefined
  createInterface(stdout).on('line', (line) => {
    events.push(JSON.parse(line) as Event)
    wake()
  })
  let running: Promise<void> = Promise.resolve()
  stack.defer(async () => {
    stop.abort(new Interrupted())
    await running.catch(() => undefined)
  })
  const owned = stack.move()

  return {
    platform,
    use: (close: () => void) => owned.defer(close),
    async event(name: string): Promise<Event> {
      for (;;) {
        const found = events.find((one) => one.event === name)
        if (found) return found
        await Promise.race([
          running,
          new Promise<void>((resolve) => {
            wake = resolve
          }),
        ])
      }
    },
    async start(kind: PortKind, target: string, flags: PortFlags = {}): Promise<void> {
      const env = { SLUICE_AUTHTOKEN: fixtureAuthtoken, XDG_CONFIG_HOME: '/nowhere' }
      const settings = await readSettings({ server: platform.graph.url }, env)
      const context: CommandContext = {
        settings,
        output: createOutput({ stdout, stderr: stdout, json: true, quiet: false, color: false }),
        io: { env, signal: stop.signal } as unknown as Io,
      }
      running = runPort(kind, target, flags, context)
      running.catch(() => undefined)
    },
    async stop(): Promise<void> {
      stop.abort(new Interrupted())
      await running
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** An upstream over TCP on a free port, and how often it was reached. */
async function tcpUpstream(use: (close: () => void) => void, accept: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    accept(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  use(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: String((server.address() as AddressInfo).port), sockets }
}

async function ask(port: number, bytes: Buffer | string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  socket.end(bytes)
  await once(socket, 'end')
  return heard
}

test('a tunnel of TCP is reached before its address is said, and the upstream hears nothing of that', async () => {
  await using world = await openWorld()
  const { port, sockets } = await tcpUpstream(world.use, (socket) => void socket.pipe(socket))

  await world.start('TCP', port, { name: 'db' })
  const ready = await world.event('ready')

  expect(ready).toMatchObject({ kind: 'TCP', url: `tcp://127.0.0.1:${world.platform.tunnelPort}` })
  expect(ready).not.toHaveProperty('unreached')
  expect(sockets).toHaveLength(0)
  expect(await ask(world.platform.tunnelPort, 'select 1')).toBe('select 1')
  expect(await world.event('connection')).toMatchObject({
    visitorIp: '127.0.0.1',
    bytesIn: 8,
    bytesOut: 8,
  })
  await world.stop()
  expect(await world.event('stopped')).toMatchObject({ name: 'db' })
})

test('the port and the kind that were asked for reach the server, and the visitor’s address the upstream', async () => {
  await using world = await openWorld()
  const { port } = await tcpUpstream(world.use, (socket) => void socket.pipe(socket))

  await world.start('TCP', `127.0.0.1:${port}`, { port: 20_022, proxyProtocol: 1 })
  await world.event('ready')

  expect(world.platform.starts).toEqual([{ kind: 'TCP', port: 20_022 }])
  const { tunnelPort } = world.platform
  expect(await ask(tunnelPort, 'x')).toMatch(
    new RegExp(`^PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${tunnelPort}\r\nx$`),
  )
})

test('a tunnel of TLS brings the ClientHello as it came to the service that has the certificate', async () => {
  await using world = await openWorld()
  const { port } = await tcpUpstream(world.use, (socket) => void socket.pipe(socket))

  await world.start('TLS', port, { name: 'secret' })
  const ready = await world.event('ready')

  expect(ready).not.toHaveProperty('unreached')
  const { hostname, port: tlsPort } = new URL(ready.url ?? '')
  const hello = clientHello(hostname, 'a session')
  expect(await ask(Number(tlsPort), hello)).toBe(hello.toString('latin1'))
})

test('a tunnel of UDP answers each datagram of its visitors', async () => {
  await using world = await openWorld()
  const upstream = createSocket('udp4')
  upstream.on('message', (bytes, from) =>
    upstream.send(`re: ${bytes.toString()}`, from.port, from.address),
  )
  upstream.bind(0, '127.0.0.1')
  await once(upstream, 'listening')
  world.use(() => void upstream.close())

  await world.start('UDP', `127.0.0.1:${upstream.address().port}`)
  const ready = await world.event('ready')

  expect(ready).not.toHaveProperty('unreached')
  const visitor = createSocket('udp4')
  world.use(() => void visitor.close())
  const answered = once(visitor, 'message') as Promise<[Buffer]>
  visitor.send('ping', world.platform.tunnelPort, '127.0.0.1')
  expect(String((await answered)[0])).toBe('re: ping')
})

test('an address that does not answer this machine is said all the same, with a warning', async () => {
  await using world = await openWorld()
  const { port } = await tcpUpstream(world.use, (socket) => void socket.end())

  await world.start('TCP', port, { denyIp: ['127.0.0.0/8'] })

  const ready = await world.event('ready')

  expect(ready.url).toContain('tcp://')
  expect(ready['unreached']).toEqual(expect.any(String))
})

test('a target with a scheme is refused: bytes have none', async () => {
  await using world = await openWorld()
  await world.start('TCP', 'http://localhost:3000')

  await expect(world.stop()).rejects.toMatchObject({ code: 'SLUICE_USAGE' })
})
