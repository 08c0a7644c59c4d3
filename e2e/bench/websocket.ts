import { fork } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Benchmark, Figures } from './figures.ts'
import { startKeys } from './keys.ts'
import { startWebSocketProxy } from './nginx.ts'
import { keep, startDriver, stop } from './process.ts'
import { alternate, cpuOf, medianOf, ratio, rpsOf, type Way } from './rounds.ts'
import { apex, startAgent, startRelay } from './tunnel.ts'

type Name = 'upstream' | 'nginx' | 'sluice'

/** Messages of a hundred bytes to and fro: nginx as a reverse proxy and Sluice before the same echo, in the same run. */
export const websocketBenchmark: Benchmark = {
  run: benchWebSocket,
  aims: { 'websocket.c64.mps_vs_nginx': 'at least 1.0' },
}

const host = `app.${apex}`
const connections = 64

async function benchWebSocket({ quick }: { quick: boolean }): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  // The workers of an nginx that root started run as somebody else.
  chmodSync(folder, 0o755)
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const driver = startDriver()
  closing.defer(() => stop(driver.child))
  const echoPort = await startEcho(closing)
  const nginx = await startWebSocketProxy(folder, echoPort)
  closing.defer(() => stop(nginx.child))
  const keys = startKeys(closing)
  const relay = await startRelay(closing, { jwksUrl: await keys.url })
  const agent = await startAgent(closing, relay.port, keys.token(host), echoPort)
  const ways: Way<Name>[] = [
    { name: 'upstream', port: echoPort, pids: [] },
    { name: 'nginx', ...nginx },
    { name: 'sluice', port: relay.port, pids: [relay.pid, agent] },
  ]

  const rounds = quick ? 1 : 3
  const durationMs = quick ? 1_000 : 2_000
  const messages = ({ port }: Way<Name>, many = connections) =>
    driver.run({ kind: 'messages', port, host, path: '/echo', connections: many, durationMs })
  for (const way of ways) await messages(way)
  const figures: Figures = {}
  for (const many of [1, connections]) {
    const results = await alternate<Name, Way<Name>>(ways, rounds, (way) => messages(way, many))
    for (const { name } of ways) {
      figures[`websocket.c${many}.${name}.mps`] = medianOf(results, name, rpsOf)
      figures[`websocket.c${many}.${name}.p50_ms`] = medianOf(results, name, (one) => one.p50Ms)
      if (name !== 'upstream') {
        figures[`websocket.c${many}.${name}.cpu_us`] = medianOf(results, name, cpuOf)
      }
    }
    figures[`websocket.c${many}.mps_vs_nginx`] = ratio(results, 'sluice', 'nginx', rpsOf)
    figures[`websocket.c${many}.cpu_vs_nginx`] = ratio(results, 'sluice', 'nginx', cpuOf)
    figures[`websocket.c${many}.p99_vs_nginx`] = ratio(
      results,
      'sluice',
      'nginx',
      (one) => one.p99Ms,
    )
  }
  return figures
}

/** An upstream that sends every message back, in a process of its own. */
async function startEcho(closing: AsyncDisposableStack): Promise<number> {
  const child = fork(new URL('echo.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  keep(child)
  closing.defer(() => stop(child))
  return new Promise((resolve) => child.once('message', (port: number) => resolve(port)))
}
