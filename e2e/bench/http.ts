import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Benchmark, Figures } from './figures.ts'
import { startKeys } from './keys.ts'
import type { LoadResult } from './load-driver.ts'
import { fileBytes, startNginx } from './nginx.ts'
import { startOpenSsh } from './openssh.ts'
import { residentMbOf, startDriver, stop } from './process.ts'
import { startRedis } from './redis.ts'
import { alternate, cpuOf, mbpsOf, median, ratio, rpsOf, type Results, type Way } from './rounds.ts'
import { apex, startAgent, startRelay } from './tunnel.ts'

const host = `app.${apex}`
const uploadHost = `upload.${apex}`
const concurrencies = [1, 64, 256]
const streamsAtOnce = 8

type Name = 'upstream' | 'nginx' | 'openssh' | 'sluice' | 'inspected'

interface HttpWay extends Way<Name> {
  readonly sinkPort: number
  readonly host: string
  readonly sinkHost: string
}

/** Small responses, large downloads and large uploads: bare upstream, nginx, OpenSSH and Sluice in the same run. */
export const httpBenchmark: Benchmark = {
  run: benchHttp,
  aims: {
    'http.c1.added_latency_us': 'at most 200',
    'http.c64.rps_vs_nginx': 'at least 1.0',
    'http.c64.cpu_vs_nginx': 'at most 1.2',
    'http.c64.p99_vs_nginx': 'at most 1.0',
    'http.c64.cpu_vs_openssh': 'at most 1.0',
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
  const { ways, relayPid, agentPids } = await openWays(closing, folder, sinkPort)
  const rounds = quick ? 1 : 3
  const durationMs = quick ? 1_000 : 2_000
  const requests = (way: HttpWay, connections: number, ms: number): Promise<LoadResult> =>
    driver.run({ kind: 'requests', ...way, path: '/small', connections, durationMs: ms })

  // Compilers and pools settle before anything counts, memory too.
  for (const way of ways) {
    for (const connections of concurrencies) await requests(way, connections, durationMs)
  }
  const before = memoryOf(relayPid, agentPids)
  const figures: Figures = {}
  // Inspection has figures of its own, and is not what the rest is about.
  const plain = ways.filter(({ name }) => name !== 'inspected')
  for (const connections of concurrencies) {
    const name = `http.c${connections}`
    const results = await alternate<Name, HttpWay>(
      connections === 64 ? ways : plain,
      rounds,
      (way) => requests(way, connections, durationMs),
    )
    Object.assign(figures, requestFigures(name, results))
    if (connections === 1) figures[`${name}.added_latency_us`] = addedLatencyUs(results)
  }
  const down = (way: HttpWay, streams: number): Promise<LoadResult> =>
    driver.run({ kind: 'download', ...way, path: '/large', streams })
  const up = (way: HttpWay, streams: number): Promise<LoadResult> =>
    driver.run({
      kind: 'upload',
      port: way.sinkPort,
      host: way.sinkHost,
      path: '/sink',
      bytes: fileBytes / streams,
      streams,
    })
  for (const [suffix, streams] of [
    ['', 1],
    [streamsAtOnce, streamsAtOnce],
  ] as const) {
    const downloads = await alternate<Name, HttpWay>(plain, rounds, (way) => down(way, streams))
    Object.assign(figures, bulkFigures(`http.down${suffix}`, downloads))
    const uploads = await alternate<Name, HttpWay>(plain, rounds, (way) => up(way, streams))
    Object.assign(figures, bulkFigures(`http.up${suffix}`, uploads))
  }
  const after = memoryOf(relayPid, agentPids)
  figures['memory.relay_before_mb'] = before.relay
  figures['memory.relay_after_mb'] = after.relay
  figures['memory.agent_before_mb'] = before.agent
  figures['memory.agent_after_mb'] = after.agent
  figures['memory.relay_growth_mb'] = after.relay - before.relay
  figures['memory.agent_growth_mb'] = after.agent - before.agent
  return figures
}

/** All ways from the driver to the same origin and the same sink, each with its own processes. */
async function openWays(closing: AsyncDisposableStack, folder: string, sinkPort: number) {
  const nginx = await startNginx(folder, sinkPort)
  for (const child of nginx.children) closing.defer(() => stop(child))
  const openSsh = await startOpenSsh(closing, folder, { originPort: nginx.originPort, sinkPort })
  const keys = startKeys(closing)
  const jwksUrl = await keys.url
  const openTunnels = async (redisUrl: string, claims: object) => {
    const relay = await startRelay(closing, { jwksUrl, redisUrl })
    const agents = [
      await startAgent(closing, relay.port, keys.token(host, claims), nginx.originPort),
      await startAgent(closing, relay.port, keys.token(uploadHost, claims), sinkPort),
    ]
    return { relay, agents }
  }
  const tunnels = await openTunnels('', {})
  const redisUrl = await startRedis(closing, folder)
  const inspected = redisUrl ? await openTunnels(redisUrl, { captureBodies: true }) : undefined
  const hosts = { host, sinkHost: host }
  const proxy = { port: nginx.proxyPort, sinkPort: nginx.proxyPort, pids: nginx.proxyPids }
  const tunnelHosts = { host, sinkHost: uploadHost }
  const ways: HttpWay[] = [
    { name: 'upstream', port: nginx.originPort, sinkPort, ...hosts, pids: [] },
    { name: 'nginx', ...proxy, ...hosts },
    ...(openSsh ? [{ name: 'openssh', ...openSsh, ...hosts } as const] : []),
    { name: 'sluice', ...portsOf(tunnels), ...tunnelHosts },
    ...(inspected ? [{ name: 'inspected', ...portsOf(inspected), ...tunnelHosts } as const] : []),
  ]
  return { ways, relayPid: tunnels.relay.pid, agentPids: tunnels.agents }
}

function portsOf({
  relay,
  agents,
}: {
  readonly relay: { readonly port: number; readonly pid: number }
  readonly agents: readonly number[]
}) {
  return { port: relay.port, sinkPort: relay.port, pids: [relay.pid, ...agents] }
}

function memoryOf(relayPid: number, agentPids: readonly number[]) {
  return { relay: residentMbOf(relayPid), agent: Math.max(...agentPids.map(residentMbOf)) }
}

function requestFigures(name: string, results: Results<Name>): Figures {
  const figures: Figures = {}
  for (const [way, measured] of results) {
    figures[`${name}.${way}.rps`] = median(measured.map(rpsOf))
    figures[`${name}.${way}.p50_ms`] = median(measured.map((one) => one.p50Ms))
    figures[`${name}.${way}.p99_ms`] = median(measured.map((one) => one.p99Ms))
    if (way !== 'upstream') figures[`${name}.${way}.cpu_us`] = median(measured.map(cpuOf))
  }
  for (const other of ['nginx', 'openssh'] as const) {
    if (!results.has(other)) continue
    figures[`${name}.rps_vs_${other}`] = ratio(results, 'sluice', other, rpsOf)
    figures[`${name}.cpu_vs_${other}`] = ratio(results, 'sluice', other, cpuOf)
    figures[`${name}.p50_vs_${other}`] = ratio(results, 'sluice', other, (one) => one.p50Ms)
    figures[`${name}.p99_vs_${other}`] = ratio(results, 'sluice', other, (one) => one.p99Ms)
  }
  if (results.has('inspected')) {
    figures[`${name}.inspected.rps_vs_off`] = ratio(results, 'inspected', 'sluice', rpsOf)
    figures[`${name}.inspected.cpu_vs_off`] = ratio(results, 'inspected', 'sluice', cpuOf)
  }
  return figures
}

function bulkFigures(name: string, results: Results<Name>): Figures {
  const figures: Figures = {}
  for (const [way, measured] of results) {
    figures[`${name}.${way}.mbps`] = median(measured.map(mbpsOf))
  }
  for (const other of ['nginx', 'openssh'] as const) {
    if (results.has(other)) {
      figures[`${name}.mbps_vs_${other}`] = ratio(results, 'sluice', other, mbpsOf)
    }
  }
  return figures
}

/** What the tunnel adds to a request by itself on an idle machine. */
function addedLatencyUs(results: Results<Name>): number {
  const upstream = results.get('upstream') ?? []
  const added = (results.get('sluice') ?? []).map(
    ({ p50Ms }, round) => p50Ms - (upstream[round]?.p50Ms ?? 0),
  )
  return median(added) * 1000
}
