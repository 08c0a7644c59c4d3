import type { Benchmark, Figures } from './figures.ts'
import { startFleet } from './fleet.ts'
import { startKeys } from './keys.ts'
import { residentMbOf } from './process.ts'
import { apex, startAgent, startRelay } from './tunnel.ts'

/** What tunnels and WebSockets cost while nothing happens: memory of the processes of ours that hold them. */
export const idleBenchmark: Benchmark = {
  run: benchIdle,
  aims: { 'idle.tunnel_kb': 'at most 20', 'idle.websocket_kb': 'at most 10' },
}

/** Heartbeats have gone round, and what opening needed has been collected. */
const settleMs = 12_000

async function benchIdle({ quick }: { quick: boolean }): Promise<Figures> {
  const tunnels = quick ? 1_000 : 10_000
  const webSockets = quick ? 500 : 5_000
  return {
    'idle.tunnels': tunnels,
    'idle.tunnel_kb': await tunnelKb(tunnels),
    'idle.websockets': webSockets,
    ...(await webSocketKb(webSockets)),
  }
}

async function tunnelKb(count: number): Promise<number> {
  await using closing = new AsyncDisposableStack()
  const keys = startKeys(closing)
  const sessionsMax = count + 100
  const relay = await startRelay(closing, { jwksUrl: await keys.url, sessionsMax })
  const fleet = startFleet(closing)
  const tokens = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => keys.token(`t${from + index}.${apex}`))
  const edgeHost = `edge.${apex}`
  // The first ones pay for code that is compiled, and for pools.
  const first = Math.floor(count / 20)
  await fleet.order({ kind: 'agents', port: relay.port, edgeHost, tokens: tokens(0, first) })
  const before = await settledMb(relay.pid)
  await fleet.order({ kind: 'agents', port: relay.port, edgeHost, tokens: tokens(first, count) })
  const after = await settledMb(relay.pid)
  return ((after - before) * 1_024) / (count - first)
}

async function webSocketKb(count: number): Promise<Figures> {
  await using closing = new AsyncDisposableStack()
  const keys = startKeys(closing)
  const host = `app.${apex}`
  const relay = await startRelay(closing, { jwksUrl: await keys.url })
  const fleet = startFleet(closing)
  const upstream = await fleet.order({ kind: 'upstream' })
  const token = keys.token(host, { maxConcurrentConns: count + 100 })
  const agent = await startAgent(closing, relay.port, token, upstream)
  const first = Math.floor(count / 20)
  await fleet.order({ kind: 'websockets', port: relay.port, host, count: first })
  const before = [await settledMb(relay.pid), await settledMb(agent)]
  await fleet.order({ kind: 'websockets', port: relay.port, host, count: count - first })
  const after = [await settledMb(relay.pid), await settledMb(agent)]
  const kb = (index: number): number =>
    (((after[index] ?? 0) - (before[index] ?? 0)) * 1_024) / (count - first)
  return {
    'idle.websocket_relay_kb': kb(0),
    'idle.websocket_agent_kb': kb(1),
    'idle.websocket_kb': Math.max(kb(0), kb(1)),
  }
}

/** The least of some looks: what was only on its way is not kept. */
async function settledMb(pid: number): Promise<number> {
  let least = Infinity
  for (let look = 0; look < 6; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, settleMs / 6))
    least = Math.min(least, residentMbOf(pid))
  }
  return least
}
