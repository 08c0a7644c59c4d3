import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'

import { SluiceError } from '@sluice/schema/errors'
import { expect, test, vi } from 'vitest'

import { readSettings } from '../config.ts'
import { fixtureAuthtoken } from '../graph-fixture.ts'
import { createOutput } from '../output.ts'
import { openPlatformFixture } from '../platform-fixture.ts'
import { Interrupted } from '../problem.ts'
import type { CommandContext, Io } from './context.ts'
import { openProject, runStart, type StartFlags } from './start.ts'

// A real relay, a browser, a busy machine.
vi.setConfig({ testTimeout: 60_000 })

interface Event {
  readonly event: string
  readonly tunnel?: string
  readonly [field: string]: unknown
}

/** `sluice start` as a function, against a real relay. */
async function openWorld(extra = {}) {
  await using stack = new AsyncDisposableStack()
  const platform = stack.use(await openPlatformFixture(extra))
  const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  stack.defer(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'sluice.yml')
  const stop = new AbortController()
  const stdout = new PassThrough()
  const events: Event[] = []
  let wake: () => void = () => undefined
  createInterface(stdout).on('line', (line) => {
    events.push(JSON.parse(line) as Event)
    wake()
  })
  const env = { XDG_CONFIG_HOME: folder, SLUICE_AUTHTOKEN: fixtureAuthtoken }
  let running: Promise<void> = Promise.resolve()
  stack.defer(async () => {
    stop.abort(new Interrupted())
    await running.catch(() => undefined)
  })
  const owned = stack.move()

  return {
    platform,
    write: (tunnels: string) =>
      writeFileSync(file, `version: 1\nagent: { inspect: false }\ntunnels:\n${tunnels}`),
    read: () => readFileSync(file, 'utf8'),
    events,
    /** Waits for the next event of this kind behind those already waited for. */
    async event(name: string, tunnel?: string): Promise<Event> {
      for (;;) {
        const at = events.findIndex(
          (one) => one.event === name && (tunnel === undefined || one.tunnel === tunnel),
        )
        if (at >= 0) return events.splice(at, 1)[0] as Event
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    async upstream(listener: RequestListener): Promise<number> {
      const server = createServer(listener).listen(0, '127.0.0.1')
      await once(server, 'listening')
      owned.defer(() => {
        server.close()
        server.closeAllConnections()
      })
      return (server.address() as AddressInfo).port
    },
    start(names: string[] = [], flags: StartFlags = { all: names.length === 0 }) {
      running = (async () => {
        const project = openProject(file, env)
        const settings = await readSettings({ server: platform.graph.url }, env, project.agent)
        const context: CommandContext = {
          settings,
          output: createOutput({ stdout, stderr: stdout, json: true, quiet: false, color: false }),
          io: { env, signal: stop.signal } as unknown as Io,
        }
        await runStart(project, names, flags, context)
      })()
      running.catch(() => undefined)
      return running
    },
    stop: () => stop.abort(new Interrupted()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const saying = (text: string): RequestListener => {
  return (_request, response) => void response.end(text)
}

test('several tunnels are served by one process, and end together', async () => {
  await using world = await openWorld()
  const [one, two] = [await world.upstream(saying('one')), await world.upstream(saying('two'))]
  world.write(`  one: { target: ${one} }\n  two: { target: ${two}, name: second }\n`)
  const running = world.start()
  await world.event('ready', 'one')
  await world.event('ready', 'two')

  expect((await world.platform.visit('one')).body).toBe('one')
  expect((await world.platform.visit('second')).body).toBe('two')

  world.stop()
  await running
  expect((await world.platform.visit('one')).status).toBeGreaterThanOrEqual(404)
})

test('a tunnel whose service is not there yet is served, and says so', async () => {
  await using world = await openWorld()
  // Nobody listens at port 1.
  world.write(
    `  app: { target: 1 }\n  there: { target: ${await world.upstream(saying('here'))} }\n`,
  )
  void world.start()

  expect(await world.event('ready', 'app')).toMatchObject({ targetRefused: true })
  expect(await world.event('ready', 'there')).not.toHaveProperty('targetRefused')
})

test('tunnels of bytes stand in the file beside those of HTTP', async () => {
  await using world = await openWorld()
  const port = await world.upstream(saying('over tcp'))
  world.write(`  db: { proto: tcp, target: ${port} }\n`)
  void world.start()
  const { target, url } = await world.event('ready', 'db')

  const answer = await fetch(String(url).replace('tcp:', 'http:'))
  expect(target).toBe(`localhost:${port}`)
  expect(await answer.text()).toBe('over tcp')
  expect(await world.event('connection', 'db')).toMatchObject({ visitorIp: '127.0.0.1' })
})

test('a saved file changes what it says and leaves every other stream running', async () => {
  await using world = await openWorld()
  const stay = await world.upstream((_request, response) => {
    response.write('begun ')
    response.once('close', () => undefined)
    release.promise.then(
      () => response.end('and finished'),
      () => undefined,
    )
  })
  const release = Promise.withResolvers<void>()
  const [old, next] = [await world.upstream(saying('old')), await world.upstream(saying('new'))]
  world.write(
    `  stay: { target: ${stay} }\n  move: { target: ${old} }\n  gone: { target: ${old} }\n`,
  )
  void world.start()
  for (const name of ['stay', 'move', 'gone']) await world.event('ready', name)
  const response = await world.platform.begin('stay', '/')

  world.write(
    `  stay: { target: ${stay} }\n  move: { target: ${next} }\n  more: { target: ${old} }\n`,
  )
  expect(await world.event('changed', 'move')).toMatchObject({ parts: ['target'] })
  await world.event('stopped', 'gone')
  await world.event('ready', 'more')

  expect((await world.platform.visit('move')).body).toBe('new')
  expect((await world.platform.visit('more')).body).toBe('old')
  release.resolve()
  let body = ''
  for await (const chunk of response) body += String(chunk)
  expect(body).toBe('begun and finished')
  // The one that moved was never started again.
  const names = world.platform.starts.map(({ name = '' }) => name)
  expect(names.toSorted()).toEqual(['gone', 'more', 'move', 'stay'])
})

test('a changed policy is in force without a new session', async () => {
  await using world = await openWorld()
  const port = await world.upstream(saying('hello'))
  world.write(`  app: { target: ${port} }\n`)
  void world.start()
  await world.event('ready', 'app')
  expect((await world.platform.visit('app')).status).toBe(200)

  world.write(`  app: { target: ${port}, deny-ip: [127.0.0.0/8] }\n`)
  expect(await world.event('changed', 'app')).toMatchObject({ parts: ['policy'] })

  // Whoever is on the way when the new policy comes is cut off.
  const status = () => world.platform.visit('app').then((visit) => visit.status, String)
  await expect.poll(status, { timeout: 15_000 }).toBe(403)
  expect(world.platform.starts).toHaveLength(1)
  expect(world.events.filter(({ event }) => event === 'disconnected')).toEqual([])
})

test('an invalid file keeps the old state and says where it is wrong', async () => {
  await using world = await openWorld()
  const port = await world.upstream(saying('still here'))
  world.write(`  app: { target: ${port} }\n`)
  void world.start()
  await world.event('ready', 'app')

  world.write('  app: { taget: 1 }\n')

  expect(await world.event('invalid')).toMatchObject({
    faults: [
      { line: 4, column: 8, path: 'tunnels.app.target' },
      { line: 4, column: 10, path: 'tunnels.app.taget' },
    ],
  })
  expect((await world.platform.visit('app')).body).toBe('still here')
})

test('a tunnel that the server refuses does not take the others with it', async () => {
  const refused = new SluiceError('SLUICE_ENDPOINT_HOST_TAKEN', { endpointHost: 'mine' })
  await using world = await openWorld({})
  const port = await world.upstream(saying('fine'))
  await using refusing = await openWorld({
    startTunnel() {
      throw refused
    },
  })

  world.write(`  app: { target: ${port} }\n`)
  void world.start()
  await world.event('ready', 'app')
  refusing.write(`  a: { target: 1 }\n  b: { target: 2 }\n`)

  // Alone it is the failure of the command, with its exit code.
  await expect(refusing.start()).rejects.toMatchObject({ code: 'SLUICE_ENDPOINT_HOST_TAKEN' })
  expect(await refusing.event('failed', 'a')).toMatchObject({
    retryInMs: null,
    code: 'SLUICE_ENDPOINT_HOST_TAKEN',
  })
  expect((await world.platform.visit('app')).body).toBe('fine')
})

test('one has to say which tunnels, unless there is one', async () => {
  await using world = await openWorld()
  const port = await world.upstream(saying('x'))
  world.write(`  one: { target: ${port} }\n  two: { target: ${port} }\n`)

  await expect(world.start([], {})).rejects.toMatchObject({
    code: 'SLUICE_USAGE',
    message: expect.stringMatching(/Name the tunnels .*one, two/),
  })
  await expect(world.start(['three'])).rejects.toMatchObject({
    code: 'SLUICE_PROJECT_TUNNEL_UNKNOWN',
  })
  void world.start(['two'])
  await world.event('ready', 'two')
  expect(world.platform.starts.map(({ name }) => name)).toEqual(['two'])
})
