import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startRedis } from '@sluice/kit/engines'

import type { Benchmark, Figures } from '../figures.ts'
import { cpuSecondsOf, keep, stop } from '../process.ts'
import { median } from '../rounds.ts'
import { compose } from './compose.ts'
import { liveQuery, liveSdl } from './live-graph.ts'

/** Events on their way from a subgraph, joined with two others, to subscribers of our gateway. */
export const liveBenchmark: Benchmark = {
  run: benchLive,
  aims: {
    'live.p50_ms': 'at most 5',
    'live.cpu_us_per_event': 'at most 50',
    'live.fanout2000.entity_calls': 'at most 2',
    'live.heap_kib_per_subscription': 'at most 30',
  },
}

const fanout = 2_000
const calmEvents = 300
const calmEveryMs = 10
const burstEvents = 5_000
const burstPerTurn = 50
const burstEveryMs = 20
const rounds = 3

interface Round {
  readonly cpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function benchLive({ quick }: { quick: boolean }): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  closing.defer(() => rmSync(folder, { recursive: true, force: true }))
  const redis = await startRedis()
  closing.defer(() => redis.close())
  const subgraphs = startChild(closing, new URL('live-subgraphs.ts', import.meta.url))
  const { urls } = await subgraphs.heard<{ urls: Record<string, string> }>('urls')
  const settings = join(folder, 'settings.json')
  const id = createHash('sha256').update(liveQuery).digest('hex')
  writeFileSync(
    settings,
    JSON.stringify({
      supergraph: compose(liveSdl, urls),
      manifest: { [id]: { name: 'Live', text: liveQuery } },
      subgraphs: urls,
      redisUrl: redis.url,
      limits: {
        subscriptionsPerCallerMax: 10_000,
        socketsPerIpMax: 10_000,
        // A busy machine must not make the gateway drop what the driver waits for.
        eventsQueuedMax: burstEvents,
      },
    }),
  )
  const gateway = startChild(
    closing,
    new URL('sluice.ts', import.meta.url),
    { BENCH_SETTINGS: settings },
    ['--expose-gc'],
  )
  const { port } = await gateway.heard<{ port: number }>('port')
  const driver = startChild(closing, new URL('live-driver.ts', import.meta.url))
  const pid = gateway.child.pid ?? 0
  const figures: Figures = {}

  const emit = async (events: number, perTurn: number, everyMs: number): Promise<void> => {
    for (let n = 0; n < events; n += perTurn) {
      subgraphs.tell({ emit: n, count: Math.min(perTurn, events - n) })
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
  const followed = async (events: number, send: () => Promise<void>) => {
    const result = driver.ask<{ p50Ms: number; p99Ms: number; lastMs: number }>({ expect: events })
    await driver.heard('ready')
    await send()
    return result
  }

  const cpuOf = async (events: number, send: () => Promise<void>) => {
    const before = cpuSecondsOf([pid])
    const latencies = await followed(events, send)
    return { ...latencies, cpuUs: ((cpuSecondsOf([pid]) - before) * 1e6) / events }
  }

  // One subscriber. Medians of rounds after a warm-up: a gateway runs for weeks, and a machine has noisy moments.
  await driver.ask({ open: 1, port, sameTunnel: true })
  await upstreamsOpen(subgraphs, 1)
  const events = quick ? burstEvents / 5 : burstEvents
  const burst = () => emit(events, burstPerTurn, burstEveryMs)
  await followed(1_000, () => emit(1_000, 1, 1))
  await followed(events, burst)
  const calm: Round[] = []
  const busy: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    calm.push(await cpuOf(calmEvents, () => emit(calmEvents, 1, calmEveryMs)))
    busy.push(await cpuOf(events, burst))
  }
  figures['live.calm.cpu_us_per_event'] = median(calm.map(({ cpuUs }) => cpuUs))
  figures['live.p50_ms'] = median(calm.map(({ p50Ms }) => p50Ms))
  figures['live.p99_ms'] = median(calm.map(({ p99Ms }) => p99Ms))
  figures['live.cpu_us_per_event'] = median(busy.map(({ cpuUs }) => cpuUs))
  await driver.ask({ close: true })

  // Many who see the same.
  await driver.ask({ open: fanout, port, sameTunnel: true })
  await subscribed(gateway, fanout)
  await upstreamsOpen(subgraphs, 1)
  const asked = (await counts(subgraphs)).calls
  const all = await followed(1, () => emit(1, 1, 0))
  const { calls, upstreams } = await counts(subgraphs)
  figures['live.fanout2000.entity_calls'] = calls - asked
  figures['live.fanout2000.upstreams'] = upstreams
  figures['live.fanout2000.ms'] = all.lastMs
  await driver.ask({ close: true })
  await subscribed(gateway, 0)

  // Many who see different things: nothing is shared.
  const empty = await heap(gateway)
  await driver.ask({ open: fanout, port, sameTunnel: false })
  await subscribed(gateway, fanout)
  figures['live.heap_kib_per_subscription'] = ((await heap(gateway)) - empty) / 1024 / fanout
  return figures
}

interface Child {
  readonly child: ChildProcess
  tell(message: object): void
  /** Sends a command and waits for its result. */
  ask<T>(message: object): Promise<T>
  /** Waits for a message that has this member. */
  heard<T>(member: string): Promise<T>
}

function startChild(
  closing: AsyncDisposableStack,
  file: URL,
  env: Record<string, string> = {},
  execArgv: string[] = [],
): Child {
  const child = fork(file, {
    env: { ...process.env, NODE_ENV: 'production', APOLLO_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv,
  })
  keep(child)
  closing.defer(() => stop(child))
  const heard = <T>(member: string): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onMessage = (message: Record<string, unknown>): void => {
      if (typeof message['error'] === 'string') reject(new Error(message['error']))
      else if (!(member in message)) return
      child.off('message', onMessage)
      resolve(message as T)
    }
    child.on('message', onMessage)
    const onExit = (code: number | null): void =>
      reject(new Error(`${file.pathname} ended with ${code}`))
    child.once('exit', onExit)
    return promise.finally(() => child.off('exit', onExit))
  }
  return {
    child,
    tell: (message) => void child.send(message),
    async ask<T>(message: object) {
      const answer = heard<{ result: T }>('result')
      child.send(message)
      return (await answer).result
    },
    heard,
  }
}

async function counts(subgraphs: Child): Promise<{ calls: number; upstreams: number }> {
  subgraphs.tell({ calls: true })
  return subgraphs.heard('calls')
}

/** Waits until this many subscriptions have reached the subgraph. */
async function upstreamsOpen(subgraphs: Child, count: number): Promise<void> {
  await until(async () => (await counts(subgraphs)).upstreams === count)
}

async function heap(gateway: Child): Promise<number> {
  gateway.tell({ heap: true })
  return (await gateway.heard<{ heap: number }>('heap')).heap
}

/** Waits until the gateway counts this many live subscriptions. */
async function subscribed(gateway: Child, count: number): Promise<void> {
  await until(async () => {
    gateway.tell({ live: true })
    return (await gateway.heard<{ live: number }>('live')).live === count
  })
}

const waitMsMax = 30_000

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + waitMsMax
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error('the subscriptions did not come about in time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
