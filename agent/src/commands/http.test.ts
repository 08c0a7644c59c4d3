import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'

import { SluiceError } from '@sluice/schema/errors'
import { expect, test } from 'vitest'

import {
  fixtureAuthtoken,
  fixtureTunnel,
  fixtureViewer,
  openGraphFixture,
} from '../graph-fixture.ts'
import { createOutput } from '../output.ts'
import { Interrupted } from '../problem.ts'
import type {
  AgentSession,
  AgentSessionEvents,
  AgentSessionOptions,
  openAgentSession,
} from '../session/agent-session.ts'
import type { HttpFlags } from '../tunnel-input.ts'
import type { CommandContext, Io } from './context.ts'
import { runHttp } from './http.ts'

/** A session that a test drives. The edge below answers for its nonces. */
class DrivenSession extends EventEmitter<AgentSessionEvents> {
  readonly nonces: string[] = []
  readonly closes: number[] = []
  readonly options: AgentSessionOptions
  constructor(options: AgentSessionOptions) {
    super()
    this.options = options
  }
  expectRoundTrip(nonce: string) {
    this.nonces.push(nonce)
  }
  async close({ graceMs }: { graceMs: number }) {
    this.closes.push(graceMs)
  }
}

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

const grantOf = (agentToken: string) => ({
  agentToken,
  expiresAt: inMinutes(5),
  epoch: 1,
  hostHeader: null,
  edges: [{ url: 'ws://edge.tunnel.localhost:1/_sluice/session', region: 'local' }],
})

/** A server, an edge and a session: `sluice http` runs between them as a function. */
async function openWorld(
  extra: { renew?: () => object; viewer?: () => object; edgeStatus?: number } = {},
) {
  const asked: { input?: unknown } = {}
  let opened = (_session: DrivenSession) => {}
  const session = new Promise<DrivenSession>((resolve) => {
    opened = resolve
  })
  const known = new Set<string>()
  const edge = createServer((request, response) => {
    const nonce = request.url?.split('/').at(-1) ?? ''
    if (extra.edgeStatus !== undefined || !known.has(nonce)) {
      response.writeHead(extra.edgeStatus ?? 503, { 'sluice-error': 'SLUICE_TUNNEL_OFFLINE' }).end()
    } else response.end(nonce)
  })
  await new Promise<void>((resolve) => {
    edge.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://app.tunnel.localhost:${(edge.address() as AddressInfo).port}`
  const server = await openGraphFixture({
    viewer: extra.viewer ?? fixtureViewer,
    startTunnel(variables: { input: unknown }) {
      asked.input = variables.input
      return {
        tunnel: fixtureTunnel('app'),
        urls: [url],
        grant: grantOf('eyJ.a.b'),
      }
    },
    renewAgentToken: extra.renew ?? (() => grantOf('x')),
  })

  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const stop = new AbortController()
  const context = (json: boolean, quiet = false): CommandContext => ({
    settings: {
      server: server.url,
      serverFrom: 'flag',
      authtoken: fixtureAuthtoken,
      authtokenFrom: 'file',
      ca: undefined,
      proxyOf: () => null,
      // Below a file there is no folder: names are not remembered.
      configPath: '/dev/null/sluice/config.json',
      movedTo: null,
    },
    output: createOutput({ stdout, stderr, json, quiet, color: false }),
    io: {
      stdin: new PassThrough(),
      stdout,
      stderr,
      env: {},
      signal: stop.signal,
      interrupt: () => stop.abort(new Interrupted()),
      onExit: () => () => undefined,
    } as unknown as Io,
  })
  const open = ((options: AgentSessionOptions) => {
    const driven = new DrivenSession(options)
    driven.expectRoundTrip = (nonce) => known.add(nonce)
    opened(driven)
    return driven as unknown as AgentSession
  }) as typeof openAgentSession

  return {
    url,
    asked,
    session,
    stop: () => stop.abort(new Interrupted()),
    stdoutText: () => String(stdout.read() ?? ''),
    stderrText: () => String(stderr.read() ?? ''),
    /** Resolves at the first write on stdout that holds the text. */
    printed: async (text: string) => {
      let all = ''
      for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
        all += String(chunk)
        if (all.includes(text)) break
      }
      return all
    },
    /** Something listens at the target, if nothing else is said. */
    target: String((edge.address() as AddressInfo).port),
    run(flags: HttpFlags = {}, mode: { json?: boolean; quiet?: boolean } = {}) {
      return runHttp(
        this.target,
        { inspect: false, ...flags },
        context(mode.json ?? false, mode.quiet),
        open,
      )
    },
    async [Symbol.asyncDispose]() {
      edge.closeAllConnections()
      edge.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const online = { relayUrl: 'ws://edge', sessionId: 's1', reconnected: false }

test('the address is printed, alone on stdout, after the round trip and not before', async () => {
  await using world = await openWorld()
  const running = world.run()
  const session = await world.session
  expect(world.stdoutText()).toBe('')

  session.emit('online', online)
  expect(await world.printed('\n')).toBe(`${world.url}\n`)

  world.stop()
  await running
  expect(session.closes[0]).toBe(10_000)
  expect(world.stderrText()).toContain('app stays yours')
})

test('a service that is not there yet is said, and no reason to stop', async () => {
  await using world = await openWorld()
  // Nobody listens at port 1.
  world.target = '127.0.0.1:1'
  const running = world.run()
  ;(await world.session).emit('online', online)
  await world.printed('\n')
  world.stop()
  await running

  expect(world.stderrText()).toContain('Nothing listens at http://127.0.0.1:1 yet')
})

test('with --quiet there is the address and not a word more', async () => {
  await using world = await openWorld()
  const running = world.run({}, { quiet: true })
  ;(await world.session).emit('online', online)
  await world.printed('\n')
  world.stop()
  await running

  expect(world.stderrText()).toBe('')
})

test('events come one per line, and the last one says that it stopped', async () => {
  await using world = await openWorld()
  const running = world.run({}, { json: true })
  const session = await world.session
  session.emit('online', online)
  const first = await world.printed('ready')
  session.emit('request', {
    method: 'GET',
    path: '/a',
    status: 200,
    durationMs: 1,
    requestBytes: 0,
    responseBytes: 2,
    visitorIp: '127.0.0.1',
    startedAt: new Date(0),
  })
  session.emit('offline', { reason: 'cut', retryInMs: 10 })
  session.emit('online', { ...online, reconnected: true })
  world.stop()
  await running

  const lines = (first + world.stdoutText()).trim().split('\n')
  const events = lines.map((line) => JSON.parse(line) as { event: string })
  expect(events.map(({ event }) => event)).toEqual([
    'ready',
    'request',
    'disconnected',
    'reconnected',
    'closing',
    'stopped',
  ])
  expect(events[0]).toMatchObject({
    url: world.url,
    name: 'app',
    target: `http://localhost:${world.target}`,
    organization: 'Acme',
  })
  expect(events[1]).toMatchObject({ path: '/a', startedAt: '1970-01-01T00:00:00.000Z' })
})

test('what the flags say is what the server is asked', async () => {
  await using world = await openWorld()
  const running = world.run({
    name: 'app',
    basicAuth: ['ada:pw'],
    hostHeader: 'rewrite',
    region: 'eu',
  })
  const session = await world.session
  session.emit('online', online)
  await world.printed('\n')
  world.stop()
  await running

  expect(world.asked.input).toEqual({
    name: 'app',
    region: 'eu',
    hostHeader: 'rewrite',
    policy: { basicAuth: [{ user: 'ada', password: 'pw' }], allowIps: [], denyIps: [] },
  })
  expect(session.options).toMatchObject({
    hostHeader: 'rewrite',
    upstream: { host: 'localhost', port: Number(world.target), tls: false },
  })
})

test.for(['SLUICE_SESSION_REPLACED', 'SLUICE_SESSION_REVOKED'] as const)(
  'a session that the relay ends with %s ends the command',
  async (code) => {
    await using world = await openWorld()
    const running = world.run()
    const session = await world.session
    session.emit('online', online)
    await world.printed('\n')

    session.emit('fatal', new SluiceError(code))

    await expect(running).rejects.toMatchObject({ code })
  },
)

test('a session that is revoked with its authtoken says so', async () => {
  let isRevoked = false
  await using world = await openWorld({
    viewer: () => (isRevoked ? { ...fixtureViewer, kind: 'ANONYMOUS' } : fixtureViewer),
  })
  const running = world.run()
  const session = await world.session
  session.emit('online', online)
  await world.printed('\n')

  isRevoked = true
  session.emit('fatal', new SluiceError('SLUICE_SESSION_REVOKED'))

  await expect(running).rejects.toMatchObject({ code: 'SLUICE_AUTHTOKEN_INVALID' })
})

test('a session that ends because staff suspended the organization says why', async () => {
  const suspended = { reason: 'Phishing.' }
  let isSuspended = false
  await using world = await openWorld({
    viewer() {
      if (isSuspended) throw new SluiceError('SLUICE_ORGANIZATION_SUSPENDED', suspended)
      return fixtureViewer
    },
  })
  const running = world.run()
  const session = await world.session
  session.emit('online', online)
  await world.printed('\n')

  isSuspended = true
  session.emit('fatal', new SluiceError('SLUICE_SESSION_REVOKED'))

  await expect(running).rejects.toMatchObject({
    code: 'SLUICE_ORGANIZATION_SUSPENDED',
    message: expect.stringContaining('Phishing.'),
  })
})

test('a renewal that is refused ends the command, whatever the session makes of it', async () => {
  await using world = await openWorld({
    renew() {
      throw new SluiceError('SLUICE_SESSION_REPLACED')
    },
  })
  const running = world.run()
  const session = await world.session
  await session.options.agentToken({ expiredWillDo: false })
  session.emit('online', online)
  await world.printed('\n')

  await expect(session.options.agentToken({ expiredWillDo: false })).rejects.toMatchObject({
    code: 'SLUICE_SESSION_REPLACED',
  })

  await expect(running).rejects.toMatchObject({ code: 'SLUICE_SESSION_REPLACED' })
})

test('Ctrl-C before the tunnel is up closes the session and counts as interrupted', async () => {
  await using world = await openWorld()
  const running = world.run()
  const session = await world.session

  world.stop()

  await expect(running).rejects.toBeInstanceOf(Interrupted)
  expect(session.closes).toEqual([0])
  expect(world.stdoutText()).toBe('')
})

test('a refusal before the tunnel is up is the failure of the command', async () => {
  await using world = await openWorld()
  const running = world.run()
  ;(await world.session).emit('fatal', new SluiceError('SLUICE_PROTOCOL_UNSUPPORTED'))

  await expect(running).rejects.toMatchObject({ code: 'SLUICE_PROTOCOL_UNSUPPORTED' })
})

test('a service that speaks HTTP/2 is forwarded to in HTTP/2', async () => {
  await using world = await openWorld()
  const running = world.run({ upstreamProtocol: 'http2' })
  const session = await world.session
  session.emit('online', online)
  await world.printed('\n')

  expect(session.options.upstream).toMatchObject({
    port: Number(world.target),
    tls: false,
    protocol: 'http2',
  })
  world.stop()
  await running
})
