import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Benchmark, Figures } from './figures.ts'
import { startKeys } from './keys.ts'
import type { LoadResult } from './load-driver.ts'
import { fileBytes, startNginx } from './nginx.ts'
import { cpuSecondsOf, residentMbOf, startDriver, startNode, stop } from './process.ts'

const apex = 'tunnel.localhost'
const host = `app.${apex}`
const uploadHost = `upload.${apex}`
const relayMain = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url))
const agentMain = fileURLToPath(new URL('../../agent/src/session/main.ts', import.meta.url))

interface Way {
  readonly name: 'upstream' | 'nginx' | 'sluice'
  readonly port: number
  readonly sinkPort: number
  readonly host: string
  readonly sinkHost: string
  /** Processes between the driver and the upstream. */
  readonly pids: readonly number[]
}

interface Measured extends LoadResult {
  readonly cpuMicroseconds: number
}

/** Small responses, one large download and one large upload: bare upstream, nginx and Sluice in the same run. */
export const httpBenchmark: Benchmark = {
  run: benchHttp,
  aims: {
    'http.c64.rps_vs_nginx': 'at least 1.0',
    'http.c64.cpu_vs_nginx': 'at most 1.2',
    'http.c64.p99_vs_nginx': 'at most 1.0',
    'http.down.mbps_vs_nginx': 'at least 0.8',
    'http.up.mbps_vs_nginx': 'at least 0.8',
    'memory.relay_growth_mb': 'below 32',
    'memory.agent_growth_mb': 'below 32',
  },
}

async function benchHttp({ quick }: { quick: boolean }): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  // The workers of an nginx that root started run as somebody else.
  chmodSync(folder, 0o755)
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const driver = startDriver()
  closing.defer(() => stop(driver.child))
  const sinkDriver = startDriver()
  closing.defer(() => stop(sinkDriver.child))
  const { port: sinkPort } = await sinkDriver.run({ kind: 'sink' })
  const nginx = await startNginx(folder, sinkPort)
  for (const child of nginx.children) closing.defer(() => stop(child))

  const keys = startKeys(closing)
  const relayPort = await startRelay(closing, await keys.url)
  const agents = [
    await startAgent(closing, relayPort.port, keys.token(host), nginx.originPort),
    await startAgent(closing, relayPort.port, keys.token(uploadHost), sinkPort),
  ]
  const ways: Way[] = [
    { name: 'upstream', port: nginx.originPort, sinkPort, host, sinkHost: host, pids: [] },
    {
      name: 'nginx',
      port: nginx.proxyPort,
      sinkPort: nginx.proxyPort,
      host,
      sinkHost: host,
      pids: nginx.proxyPids,
    },
    {
      name: 'sluice',
      port: relayPort.port,
      sinkPort: relayPort.port,
      host,
      sinkHost: uploadHost,
      pids: [relayPort.pid, ...agents],
    },
  ]
  const run = (way: Way, load: Parameters<typeof driver.run>[0]) =>
    measure(way, () => driver.run(load))
  const rounds = quick ? 1 : 3
  const durationMs = quick ? 1_500 : 3_000
  const figures: Figures = {}

  // Compilers and pools settle before anything counts, memory too.
  for (const way of ways) {
    for (const connections of [1, 64]) {
      await run(way, {
        kind: 'requests',
        ...way,
        path: '/small',
        connections,
        durationMs: durationMs / 2,
      })
    }
  }
  const before = {
    relay: residentMbOf(relayPort.pid),
    agent: Math.max(...agents.map(residentMbOf)),
  }

  for (const connections of [1, 64]) {
    const results = await alternate(ways, rounds, (way) =>
      run(way, { kind: 'requests', ...way, path: '/small', connections, durationMs }),
    )
    Object.assign(figures, requestFigures(`http.c${connections}`, results))
  }
  const down = await alternate(ways, rounds, (way) =>
    run(way, { kind: 'download', ...way, path: '/large' }),
  )
  Object.assign(figures, bulkFigures('http.down', down))
  const up = await alternate(ways, rounds, (way) =>
    run(way, {
      kind: 'upload',
      port: way.sinkPort,
      host: way.sinkHost,
      path: '/sink',
      bytes: fileBytes,
    }),
  )
  Object.assign(figures, bulkFigures('http.up', up))

  const after = { relay: residentMbOf(relayPort.pid), agent: Math.max(...agents.map(residentMbOf)) }
  figures['memory.relay_before_mb'] = before.relay
  figures['memory.relay_after_mb'] = after.relay
  figures['memory.agent_before_mb'] = before.agent
  figures['memory.agent_after_mb'] = after.agent
  figures['memory.relay_growth_mb'] = after.relay - before.relay
  figures['memory.agent_growth_mb'] = after.agent - before.agent
  return figures
}

async function measure(way: Way, run: () => Promise<LoadResult>): Promise<Measured> {
  const cpuBefore = cpuSecondsOf(way.pids)
  const result = await run()
  const cpuSeconds = cpuSecondsOf(way.pids) - cpuBefore
  return { ...result, cpuMicroseconds: (cpuSeconds * 1e6) / Math.max(1, result.requests) }
}

type Results = Record<Way['name'], Measured[]>

/** Takes turns, so that a noisy moment of the machine meets all of them. */
async function alternate(
  ways: readonly Way[],
  rounds: number,
  run: (way: Way) => Promise<Measured>,
): Promise<Results> {
  const results: Results = { upstream: [], nginx: [], sluice: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ways) results[way.name].push(await run(way))
  }
  return results
}

function requestFigures(name: string, results: Results): Figures {
  const rps = (one: Measured) => one.requests / one.seconds
  const figures: Figures = {}
  for (const [way, measured] of Object.entries(results)) {
    figures[`${name}.${way}.rps`] = median(measured.map(rps))
    figures[`${name}.${way}.p50_ms`] = median(measured.map((one) => one.p50Ms))
    figures[`${name}.${way}.p99_ms`] = median(measured.map((one) => one.p99Ms))
    if (way !== 'upstream')
      figures[`${name}.${way}.cpu_us`] = median(measured.map((one) => one.cpuMicroseconds))
  }
  figures[`${name}.rps_vs_nginx`] = medianRatio(results, rps)
  figures[`${name}.cpu_vs_nginx`] = medianRatio(results, (one) => one.cpuMicroseconds)
  figures[`${name}.p50_vs_nginx`] = medianRatio(results, (one) => one.p50Ms)
  figures[`${name}.p99_vs_nginx`] = medianRatio(results, (one) => one.p99Ms)
  return figures
}

function bulkFigures(name: string, results: Results): Figures {
  const mbps = (one: Measured) => one.bytes / 1e6 / one.seconds
  const figures: Figures = {}
  for (const [way, measured] of Object.entries(results)) {
    figures[`${name}.${way}.mbps`] = median(measured.map(mbps))
  }
  figures[`${name}.mbps_vs_nginx`] = medianRatio(results, mbps)
  return figures
}

function medianRatio({ sluice, nginx }: Results, value: (one: Measured) => number): number {
  return median(sluice.map((one, round) => value(one) / value(nginx[round] ?? one)))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

async function startRelay(closing: AsyncDisposableStack, jwksUrl: string) {
  let port = 0
  const relay = await startNode(
    relayMain,
    {
      RELAY_APEX: apex,
      RELAY_HTTP_PORT: '0',
      RELAY_HTTPS_PORT: '0',
      RELAY_ADMIN_PORT: '0',
      RELAY_JWKS_URL: jwksUrl,
      RELAY_KEY: '',
      REDIS_URL: '',
      RELAY_DRAIN_SECONDS: '1',
    },
    (line) => {
      const match = /"httpPort":(\d+)/.exec(line)
      port = Number(match?.[1] ?? 0)
      return port > 0
    },
  )
  closing.defer(() => stop(relay))
  return { port, pid: relay.pid ?? 0 }
}

async function startAgent(
  closing: AsyncDisposableStack,
  relayPort: number,
  agentToken: string,
  upstreamPort: number,
): Promise<number> {
  const agent = await startNode(
    agentMain,
    {
      EDGE_URL: `ws://edge.${apex}:${relayPort}/_sluice/session`,
      AGENT_TOKEN: agentToken,
      UPSTREAM_PORT: String(upstreamPort),
    },
    (line) => line === 'online',
  )
  closing.defer(() => stop(agent))
  return agent.pid ?? 0
}
