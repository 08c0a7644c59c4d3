import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { startRedis } from '@sluice/kit/engines'
import { unusedPort } from '@sluice/kit/unused-port'

import type { Benchmark, Figures } from '../figures.ts'
import { cpuSecondsOf, keep, stop } from '../process.ts'
import { median } from '../rounds.ts'
import { compose } from './compose.ts'
import type { GraphLoad, GraphLoadResult } from './driver.ts'
import { heavyQuery, smallQuery, subgraphSdl } from './graph.ts'

/** Our gateway beside the stock Apollo gateway and Hive Gateway with the Rust planner, on the same subgraphs. */
export const gatewayBenchmark: Benchmark = {
  run: benchGateway,
  aims: {
    'gateway.heavy.rps_vs_stock': 'at least 2.5',
    'gateway.small.rps_vs_stock': 'at least 2.5',
    'gateway.heavy.rps_vs_hive_rust': 'above 1',
    'gateway.small.rps_vs_hive_rust': 'above 1',
  },
}

/** The gateway under test alone on one core; driver, subgraphs and Redis on the other. */
const gatewayCore = '0'
const otherCore = '1'
const connections = 50
/** Requests differ by this many organizations, so that hardly any two under way are equal. */
const organizations = 400
const opponents = join(import.meta.dirname, 'opponents')

type Name = 'sluice' | 'stock' | 'hive_rust'

interface Running {
  readonly name: Name
  readonly port: number
  readonly child: ChildProcess
}

async function benchGateway({ quick }: { quick: boolean }): Promise<Figures> {
  installOpponents()
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const redis = await startRedis()
  closing.defer(() => redis.close())

  const subgraphs = await startSubgraphs(closing)
  const supergraph = join(folder, 'supergraph.graphql')
  writeFileSync(supergraph, compose(subgraphSdl, subgraphs))
  const gateways = [
    await startSluice(closing, folder, subgraphs, redis.url),
    await startOpponent(closing, 'stock', ['stock.mjs'], { BENCH_SUPERGRAPH: supergraph }),
    await startHive(closing, supergraph),
  ]
  const driver = startDriver()
  closing.defer(() => stop(driver.child))

  const figures: Figures = {}
  const rounds = quick ? 1 : 3
  const durationMs = quick ? 2_000 : 5_000
  for (const [name, query] of [
    ['heavy', heavyQuery],
    ['small', smallQuery],
  ] as const) {
    await assertSameAnswer(gateways, query)
    const bodies = Array.from({ length: organizations }, (_none, index) => bodyOf(query, index))
    for (const { port } of gateways) {
      await driver.run({ port, bodies, connections, durationMs: durationMs / 2 })
    }
    const measured: Record<Name, Measured[]> = { sluice: [], stock: [], hive_rust: [] }
    for (let round = 0; round < rounds; round += 1) {
      for (const gateway of gateways) {
        measured[gateway.name].push(
          await measure(gateway, () =>
            driver.run({ port: gateway.port, bodies, connections, durationMs }),
          ),
        )
      }
    }
    for (const one of ['sluice', 'stock', 'hive_rust'] as const) {
      const of = (value: (measured: Measured) => number) => median(measured[one].map(value))
      figures[`gateway.${name}.${one}.rps`] = of(({ rps }) => rps)
      figures[`gateway.${name}.${one}.cpu_ms`] = of(({ cpuMilliseconds }) => cpuMilliseconds)
      figures[`gateway.${name}.${one}.p50_ms`] = of(({ p50Ms }) => p50Ms)
      figures[`gateway.${name}.${one}.p99_ms`] = of(({ p99Ms }) => p99Ms)
      if (one === 'sluice') continue
      // Of the same round each: rounds see the machine in different moments.
      const inRounds = (ratioOf: (own: Measured, other: Measured) => number) =>
        median(
          measured.sluice.flatMap((own, round) => {
            const other = measured[one][round]
            return other ? [ratioOf(own, other)] : []
          }),
        )
      figures[`gateway.${name}.rps_vs_${one}`] = inRounds((own, other) => own.rps / other.rps)
      // Steadier than requests per second where the core is not the gateway's alone.
      figures[`gateway.${name}.cpu_vs_${one}`] = inRounds(
        (own, other) => other.cpuMilliseconds / own.cpuMilliseconds,
      )
    }
  }
  return figures
}

interface Measured {
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMilliseconds: number
}

async function measure({ child }: Running, run: () => Promise<GraphLoadResult>): Promise<Measured> {
  const pid = child.pid ?? 0
  const before = cpuSecondsOf([pid])
  const { requests, seconds, p50Ms, p99Ms } = await run()
  const cpuMilliseconds = ((cpuSecondsOf([pid]) - before) * 1000) / requests
  return { rps: requests / seconds, p50Ms, p99Ms, cpuMilliseconds }
}

const bodyOf = (query: string, index: number): string =>
  JSON.stringify({ query, variables: { id: `o${String(index).padStart(4, '0')}` } })

/** What is compared must do the same. */
async function assertSameAnswer(gateways: readonly Running[], query: string): Promise<void> {
  const answers = await Promise.all(
    gateways.map(async ({ name, port }) => {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: bodyOf(query, 7),
      })
      const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown }
      if (errors !== undefined) throw new Error(`${name} answered ${JSON.stringify(errors)}`)
      return JSON.stringify(data)
    }),
  )
  const [first, ...others] = answers
  if (others.some((other) => other !== first)) throw new Error('the gateways answer differently')
}

/** They bring half a gigabyte, which nobody needs who does not run this. */
function installOpponents(): void {
  if (existsSync(join(opponents, 'node_modules/@graphql-hive/gateway'))) return
  console.error('installing the other gateways …')
  const args = ['install', '--ignore-scripts', '--no-workspaces', '--no-package-lock', '--silent']
  execFileSync('npm', args, { cwd: opponents, stdio: ['ignore', 'inherit', 'inherit'] })
}

async function startSubgraphs(closing: AsyncDisposableStack): Promise<Record<string, string>> {
  const { child, line } = await startPinned(otherCore, [
    fileURLToPath(new URL('subgraphs.ts', import.meta.url)),
  ])
  closing.defer(() => stop(child))
  return JSON.parse(line) as Record<string, string>
}

async function startSluice(
  closing: AsyncDisposableStack,
  folder: string,
  subgraphs: Readonly<Record<string, string>>,
  redisUrl: string,
): Promise<Running> {
  const entries = Object.entries({ Heavy: heavyQuery, Small: smallQuery }).map(([name, text]) => [
    createHash('sha256').update(text).digest('hex'),
    { name, text },
  ])
  const settings = join(folder, 'settings.json')
  const manifest: unknown = Object.fromEntries(entries)
  writeFileSync(
    settings,
    JSON.stringify({ supergraph: compose(subgraphSdl, subgraphs), manifest, subgraphs, redisUrl }),
  )
  const file = fileURLToPath(new URL('sluice.ts', import.meta.url))
  const { child, line } = await startPinned(gatewayCore, [file], { BENCH_SETTINGS: settings })
  closing.defer(() => stop(child))
  return { name: 'sluice', port: portOf(line), child }
}

async function startOpponent(
  closing: AsyncDisposableStack,
  name: Name,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Running> {
  const { child, line } = await startPinned(gatewayCore, args, env, opponents)
  closing.defer(() => stop(child))
  return { name, port: portOf(line), child }
}

async function startHive(closing: AsyncDisposableStack, supergraph: string): Promise<Running> {
  const port = await unusedPort()
  const program = 'node_modules/@graphql-hive/gateway/dist/bin.js'
  const args = [program, 'supergraph', supergraph, '--port', String(port), '--host', '127.0.0.1']
  const child = spawnPinned(gatewayCore, [...args, '--fork', '0'], {}, opponents)
  closing.defer(() => stop(child))
  const until = performance.now() + readyMsMax
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => null)
    if (answer?.ok) return { name: 'hive_rust', port, child }
    if (child.exitCode !== null || performance.now() > until) {
      throw new Error('Hive Gateway was not ready in time')
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const readyMsMax = 30_000

/** Starts a Node program on one core and waits for its first line. */
async function startPinned(
  core: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawnPinned(core, args, env, cwd)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const timer = setTimeout(() => reject(new Error(`${args[0]} was not ready in time`)), readyMsMax)
  child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`)))
  if (child.stdout) createInterface({ input: child.stdout }).once('line', resolve)
  return { child, line: await promise.finally(() => clearTimeout(timer)) }
}

function spawnPinned(
  core: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): ChildProcess {
  const child = spawn('taskset', ['-c', core, process.execPath, ...args], {
    env: { ...process.env, NODE_ENV: 'production', APOLLO_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  return keep(child)
}

function startDriver(): { run(load: GraphLoad): Promise<GraphLoadResult>; child: ChildProcess } {
  const child = fork(new URL('driver.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  keep(child)
  execFileSync('taskset', ['-cp', otherCore, String(child.pid)], { stdio: 'ignore' })
  return {
    child,
    run(load) {
      const { promise, resolve, reject } = Promise.withResolvers<GraphLoadResult>()
      child.once('message', (answer: { result?: GraphLoadResult; error?: string }) => {
        if (answer.result) resolve(answer.result)
        else reject(new Error(answer.error))
      })
      child.send(load)
      return promise
    },
  }
}

function portOf(line: string): number {
  return Number(/(\d+)\s*$/.exec(line)?.[1])
}
