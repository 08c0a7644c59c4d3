import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { startRedis } from '@sluice/kit/engines'
import { expect, test, vi } from 'vitest'

import { freeRun } from '../bench/free-run.ts'
import { startKeys } from '../bench/keys.ts'
import { startNode, stop } from '../bench/process.ts'
import { Balancer } from './balancer.ts'
import { Visitors } from './visitors.ts'

const apex = 'tunnel.localhost'
const host = `app.${apex}`
const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const agentMain = fileURLToPath(new URL('../../agent/src/session/main.ts', import.meta.url))
const requestsPerSecond = 500
/** Time for the load before, between and after. */
const steadyMs = 1_500
const waitMs = { timeout: 30_000, interval: 50 }

/** A relay process that keeps its ports over restarts. */
class RelayProcess {
  readonly port: number
  readonly adminPort: number
  readonly #env: Record<string, string>
  #child: ChildProcess | undefined

  constructor(port: number, adminPort: number, env: Record<string, string>) {
    this.port = port
    this.adminPort = adminPort
    this.#env = { ...env, RELAY_HTTP_PORT: String(port), RELAY_ADMIN_PORT: String(adminPort) }
  }

  get edgeUrl(): string {
    return `ws://edge.${apex}:${this.port}/_sluice/session`
  }

  async start(): Promise<void> {
    this.#child = await startNode(relayMain, this.#env, (line) => line.includes('"msg":"ready"'))
  }

  /** Sends SIGTERM and answers the exit code. */
  async end(): Promise<number | null> {
    const child = this.#child
    if (!child) throw new Error('the relay was not started')
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await exited
    return code
  }

  async kill(): Promise<void> {
    if (this.#child) await stop(this.#child)
  }
}

/** Redis, keys, an upstream, and what all relays have in common. */
async function openSurroundings(stack: AsyncDisposableStack) {
  const redis = await startRedis()
  stack.defer(() => redis.close())
  const keys = startKeys(stack)
  const env = {
    RELAY_APEX: apex,
    RELAY_HTTPS_PORT: '0',
    RELAY_JWKS_URL: await keys.url,
    RELAY_KEY: '',
    REDIS_URL: redis.url,
    RELAY_PEER_SECRET: crypto.randomUUID(),
    RELAY_PEER_PORT: '0',
    RELAY_PRE_DRAIN_SECONDS: '1',
    RELAY_DRAIN_SECONDS: '10',
  }
  const upstream = createServer((request, response) => {
    if (request.url === '/slow') {
      response.write('begun ')
      setTimeout(() => response.end('and whole'), 4_000)
      return
    }
    let bytes = 0
    request.on('data', (piece: Buffer) => (bytes += piece.length))
    request.on('end', () => response.end(`${request.url} ${bytes}`))
  }).listen(0, '127.0.0.1')
  upstream.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    // What breaks off here breaks off there, as a reset.
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await once(upstream, 'listening')
  stack.defer(() => {
    upstream.close()
    upstream.closeAllConnections()
  })
  const address = upstream.address()
  const upstreamPort = typeof address === 'object' && address ? address.port : 0
  const openAgent = async (edgeUrls: readonly string[]) => {
    const agent = await startNode(
      agentMain,
      {
        EDGE_URL: edgeUrls.join(','),
        AGENT_TOKEN: keys.token(host),
        UPSTREAM_PORT: String(upstreamPort),
      },
      (line) => line === 'online',
    )
    stack.defer(() => stop(agent))
  }
  return { env, openAgent }
}

async function openWorld(stack: AsyncDisposableStack) {
  const { env, openAgent } = await openSurroundings(stack)
  const relays = await Promise.all(
    ['relay-a', 'relay-b'].map(async (id) => {
      const relay = new RelayProcess(await freeRun(1), await freeRun(1), { ...env, RELAY_ID: id })
      stack.defer(() => relay.kill())
      await relay.start()
      return relay
    }),
  )
  await openAgent(relays.map(({ edgeUrl }) => edgeUrl))
  const balancer = stack.use(new Balancer(relays))
  return { relays, balancer, port: await balancer.listen() }
}

function ask(port: number, path: string): Promise<{ status: number; body: Promise<string> }> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      const body = once(response, 'end').then(() => text)
      body.catch(() => undefined)
      resolve({ status: response.statusCode ?? 0, body })
    }).once('error', reject)
  })
}

test(
  'a rolling restart of two relays under load loses no request',
  { timeout: 240_000 },
  async () => {
    await using stack = new AsyncDisposableStack()
    const { relays, balancer, port } = await openWorld(stack)
    for (const relay of relays) {
      await vi.waitFor(
        async () => expect((await ask(relay.port, '/ready')).status).toBe(200),
        waitMs,
      )
    }

    const visitors = new Visitors(port, host, requestsPerSecond)
    await sleep(steadyMs)
    const codes: (number | null)[] = []
    const slow: string[] = []
    for (const relay of relays) {
      const { body } = await ask(relay.port, '/slow')
      codes.push(await relay.end())
      slow.push(await body)
      await relay.start()
      await vi.waitFor(async () => expect((await ask(relay.port, '/up')).status).toBe(200), waitMs)
      await sleep(steadyMs)
    }
    const asked = await visitors.stop()

    expect(visitors.lost).toEqual([])
    expect(visitors.answered).toBe(asked)
    expect(balancer.unserved).toBe(0)
    expect(codes).toEqual([0, 0])
    expect(slow).toEqual(['begun and whole', 'begun and whole'])
    // A machine that is busy may fall behind, not stand still.
    expect(asked).toBeGreaterThan(requestsPerSecond * 3)
  },
)

test(
  'a WebSocket that never ends is closed with the grace period, and the relay exits well',
  { timeout: 180_000 },
  async () => {
    await using stack = new AsyncDisposableStack()
    const { relays } = await openWorld(stack)
    const [relay] = relays
    if (!relay) throw new Error('no relay')
    await vi.waitFor(async () => expect((await ask(relay.port, '/ready')).status).toBe(200), waitMs)
    const socket = connect({ port: relay.port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    stack.defer(() => void socket.destroy())
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    // A reset is an end too: the connection breaks off.
    const closed = new Promise((resolve) => socket.once('close', resolve))

    const code = await relay.end()

    await closed
    expect(code).toBe(0)
  },
)

test(
  'processes behind one port are replaced one by one under load',
  { timeout: 240_000 },
  async () => {
    await using stack = new AsyncDisposableStack()
    const { env, openAgent } = await openSurroundings(stack)
    const port = await freeRun(1)
    const lines: string[] = []
    const count = (text: string): number => lines.filter((line) => line.includes(text)).length
    const supervisor = await startNode(
      relayMain,
      { ...env, RELAY_PROCESSES: '2', RELAY_HTTP_PORT: String(port), RELAY_ADMIN_PORT: '0' },
      (line) => {
        lines.push(line)
        return count('"msg":"ready"') === 2
      },
    )
    stack.defer(() => stop(supervisor))
    await openAgent([`ws://edge.${apex}:${port}/_sluice/session`])
    let inRow = 0
    await vi.waitFor(async () => {
      inRow = (await ask(port, '/ready')).status === 200 ? inRow + 1 : 0
      expect(inRow).toBeGreaterThan(20)
    }, waitMs)
    const visitors = new Visitors(port, host, 200)

    supervisor.kill('SIGHUP')
    await vi.waitFor(() => expect(count('a process was replaced')).toBe(2), {
      timeout: 60_000,
      interval: 50,
    })
    await sleep(steadyMs)
    const asked = await visitors.stop()
    const exited = once(supervisor, 'exit')
    supervisor.kill('SIGTERM')

    // Connections that arrive while a process closes are the kernel's to hand over, or to cut unread: Node calls that a
    // reset, or a hang-up.
    const cut = /ECONNRESET|socket hang up/
    expect(visitors.lost.filter(({ reason }) => !cut.test(reason))).toEqual([])
    expect(visitors.answered).toBeGreaterThanOrEqual(asked - 3)
    expect((await exited)[0]).toBe(0)
  },
)
