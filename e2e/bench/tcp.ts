import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { unusedPort } from '@sluice/kit/unused-port'

import type { Benchmark, Figures } from './figures.ts'
import { startKeys } from './keys.ts'
import { fileBytes, startNginx } from './nginx.ts'
import { startOpenSsh } from './openssh.ts'
import { startDriver, stop } from './process.ts'
import { alternate, cpuOf, mbpsOf, medianOf, ratio, rpsOf, type Way } from './rounds.ts'
import { apex, startAgent, startRelay } from './tunnel.ts'

type Name = 'upstream' | 'openssh' | 'sluice'

interface TcpWay extends Way<Name> {
  readonly sinkPort: number
}

/** TCP tunnels beside OpenSSH's and the bare upstream: the bytes are HTTP, and no one in between knows. */
export const tcpBenchmark: Benchmark = {
  run: benchTcp,
  aims: { 'tcp.mbps_vs_openssh': 'at least 1.0', 'tcp.c64.cpu_vs_openssh': 'at most 1.0' },
}

const host = 'anything'
const connections = 64

async function benchTcp({ quick }: { quick: boolean }): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  // The workers of an nginx that root started run as somebody else.
  chmodSync(folder, 0o755)
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [driver, sinkDriver] = [startDriver(), startDriver()]
  for (const { child } of [driver, sinkDriver]) closing.defer(() => stop(child))
  const { port: sinkPort } = await sinkDriver.run({ kind: 'sink' })
  const nginx = await startNginx(folder, sinkPort)
  for (const child of nginx.children) closing.defer(() => stop(child))
  const { originPort } = nginx
  const openSsh = await startOpenSsh(closing, folder, { originPort, sinkPort })

  const keys = startKeys(closing)
  const [port, ownSinkPort] = [await unusedPort(), await unusedPort()]
  const [first, last] = [Math.min(port, ownSinkPort), Math.max(port, ownSinkPort)]
  const relay = await startRelay(closing, {
    jwksUrl: await keys.url,
    tcpPorts: `${first}-${last}`,
  })
  const tokenOf = (endpointPort: number): string =>
    keys.token(`tcp-${endpointPort}.${apex}`, { kind: 'tcp', endpointHosts: [], endpointPort })
  const agents = [
    await startAgent(closing, relay.port, tokenOf(port), originPort, { raw: true }),
    await startAgent(closing, relay.port, tokenOf(ownSinkPort), sinkPort, { raw: true }),
  ]
  const ways: TcpWay[] = [
    { name: 'upstream', port: originPort, sinkPort, pids: [] },
    ...(openSsh ? [{ name: 'openssh', ...openSsh } as const] : []),
    { name: 'sluice', port, sinkPort: ownSinkPort, pids: [relay.pid, ...agents] },
  ]

  const rounds = quick ? 1 : 3
  const durationMs = quick ? 1_000 : 2_000
  const requests = ({ port: to }: TcpWay) =>
    driver.run({ kind: 'requests', port: to, host, path: '/small', connections, durationMs })
  const down = ({ port: to }: TcpWay) =>
    driver.run({ kind: 'download', port: to, host, path: '/large', streams: 1 })
  const up = ({ sinkPort: to }: TcpWay) =>
    driver.run({ kind: 'upload', port: to, host, path: '/sink', bytes: fileBytes, streams: 1 })
  for (const way of ways) await requests(way)

  const figures: Figures = {}
  const small = await alternate<Name, TcpWay>(ways, rounds, requests)
  const bulk = {
    down: await alternate<Name, TcpWay>(ways, rounds, down),
    up: await alternate<Name, TcpWay>(ways, rounds, up),
  }
  for (const { name } of ways) {
    figures[`tcp.c64.${name}.rps`] = medianOf(small, name, rpsOf)
    figures[`tcp.down.${name}.mbps`] = medianOf(bulk.down, name, mbpsOf)
    figures[`tcp.up.${name}.mbps`] = medianOf(bulk.up, name, mbpsOf)
  }
  figures['tcp.mbps_vs_upstream'] = ratio(bulk.down, 'sluice', 'upstream', mbpsOf)
  if (openSsh) {
    figures['tcp.mbps_vs_openssh'] = ratio(bulk.down, 'sluice', 'openssh', mbpsOf)
    figures['tcp.up.mbps_vs_openssh'] = ratio(bulk.up, 'sluice', 'openssh', mbpsOf)
    figures['tcp.c64.rps_vs_openssh'] = ratio(small, 'sluice', 'openssh', rpsOf)
    figures['tcp.c64.cpu_vs_openssh'] = ratio(small, 'sluice', 'openssh', cpuOf)
  }
  return figures
}
