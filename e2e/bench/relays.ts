import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { unusedPort } from '@sluice/kit/unused-port'

import type { Benchmark, Figures } from './figures.ts'
import { freeRun } from './free-run.ts'
import { startKeys } from './keys.ts'
import { startNginx } from './nginx.ts'
import { childrenOf, cpuSecondsOf, startDriver, startNode, stop } from './process.ts'
import { startRedis } from './redis.ts'
import { apex, startAgent } from './tunnel.ts'

const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const host = `app.${apex}`
const connections = 64
const counts = [1, 2]
const findMsMax = 10_000

interface Relays {
  readonly port: number
  readonly adminPorts: readonly number[]
  readonly pids: readonly number[]
}

/** Small responses through one agent, with one relay process and with two behind one port, of which one has the agent. */
export const relaysBenchmark: Benchmark = { run: benchRelays, aims: {} }

async function benchRelays({ quick }: { quick: boolean }): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const driver = startDriver()
  closing.defer(() => stop(driver.child))
  const nginx = await startNginx(folder, await unusedPort())
  for (const child of nginx.children) closing.defer(() => stop(child))
  const redisUrl = await startRedis(closing, folder)
  if (!redisUrl) throw new Error('relays know of each other through Redis, which is not here')
  const keys = startKeys(closing)
  const shared = { jwksUrl: await keys.url, redisUrl }

  const figures: Figures = {}
  for (const processes of counts) {
    await using running = new AsyncDisposableStack()
    const relays = await startRelays(running, { ...shared, processes })
    await startAgent(running, relays.port, keys.token(host), nginx.originPort)
    await untilServed(relays.port, processes)
    const load = { kind: 'requests', port: relays.port, host, path: '/small', connections } as const
    await driver.run({ ...load, durationMs: quick ? 500 : 2_000 })
    const before = { cpu: cpuSecondsOf(relays.pids), forwarded: await forwardedBy(relays) }
    const result = await driver.run({ ...load, durationMs: quick ? 1_000 : 5_000 })
    const name = `relays.p${processes}`
    figures[`${name}.rps`] = result.requests / result.seconds
    figures[`${name}.p50_ms`] = result.p50Ms
    figures[`${name}.p99_ms`] = result.p99Ms
    figures[`${name}.cpu_us`] = ((cpuSecondsOf(relays.pids) - before.cpu) * 1e6) / result.requests
    const forwarded = (await forwardedBy(relays)) - before.forwarded
    figures[`${name}.forwarded_share`] = forwarded / result.requests
  }
  figures['relays.rps_2_vs_1'] = (figures['relays.p2.rps'] ?? 0) / (figures['relays.p1.rps'] ?? 1)
  figures['relays.cpu_2_vs_1'] =
    (figures['relays.p2.cpu_us'] ?? 0) / (figures['relays.p1.cpu_us'] ?? 1)
  return figures
}

async function startRelays(
  closing: AsyncDisposableStack,
  options: { readonly jwksUrl: string; readonly redisUrl: string; readonly processes: number },
): Promise<Relays> {
  const port = await unusedPort()
  // Each process takes the port behind the one before.
  const adminPort = await freeRun(options.processes * 2)
  const peerPort = adminPort + options.processes
  let ready = 0
  const relay = await startNode(
    relayMain,
    {
      RELAY_APEX: apex,
      RELAY_HTTP_PORT: String(port),
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: String(adminPort),
      RELAY_PEER_PORT: String(peerPort),
      RELAY_PEER_SECRET: crypto.randomUUID(),
      RELAY_PROCESSES: String(options.processes),
      RELAY_JWKS_URL: options.jwksUrl,
      RELAY_KEY: '',
      REDIS_URL: options.redisUrl,
      RELAY_DRAIN_SECONDS: '1',
    },
    (line) => {
      if (line.includes('"msg":"ready"')) ready += 1
      return ready === options.processes
    },
  )
  closing.defer(() => stop(relay))
  const pid = relay.pid ?? 0
  return {
    port,
    adminPorts: Array.from({ length: options.processes }, (_, index) => adminPort + index),
    pids: options.processes === 1 ? [pid] : [pid, ...childrenOf(pid)],
  }
}

/** Each process has heard of the tunnel: so many new connections in a row are served, wherever they land. */
async function untilServed(port: number, processes: number): Promise<void> {
  const untilMs = performance.now() + findMsMax
  let inRow = 0
  while (inRow < processes * 8) {
    if (performance.now() > untilMs) throw new Error('the tunnel is not served by all processes')
    inRow = (await statusOf(port)) === 200 ? inRow + 1 : 0
    if (inRow === 0) await sleep(50)
  }
}

function statusOf(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host, connection: 'close' }
    get({ port, host: '127.0.0.1', path: '/small', headers, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    }).once('error', reject)
  })
}

async function forwardedBy({ adminPorts }: Relays): Promise<number> {
  let forwarded = 0
  for (const port of adminPorts) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    forwarded += Number(/^sluice_relay_forwarded_total\S* (\d+)/m.exec(text)?.[1] ?? 0)
  }
  return forwarded
}
