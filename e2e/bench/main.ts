import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import type { Benchmark, Figures } from './figures.ts'

/** Each is loaded only when it is asked for: what one needs another machine may lack. */
const benchmarks: Record<string, () => Promise<Benchmark>> = {
  http: async () => (await import('./http.ts')).httpBenchmark,
  http2: async () => (await import('./http2.ts')).http2Benchmark,
  relays: async () => (await import('./relays.ts')).relaysBenchmark,
  tcp: async () => (await import('./tcp.ts')).tcpBenchmark,
  websocket: async () => (await import('./websocket.ts')).websocketBenchmark,
  idle: async () => (await import('./idle.ts')).idleBenchmark,
  storm: async () => (await import('./storm.ts')).stormBenchmark,
  gateway: async () => (await import('./gateway/gateway.ts')).gatewayBenchmark,
  live: async () => (await import('./gateway/live.ts')).liveBenchmark,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } },
})
const load = Object.hasOwn(benchmarks, positionals[0] ?? '')
  ? benchmarks[positionals[0] ?? '']
  : undefined
if (!load) {
  const names = Object.keys(benchmarks).join('|')
  console.error(`usage: npm run bench ${names} -- [--json FILE] [--quick]`)
  process.exit(2)
}

try {
  const benchmark = await load()
  const figures = rounded(await benchmark.run({ quick: values.quick }))
  print(figures, benchmark.aims)
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** What was measured, and beside it what we aim at. */
function print(figures: Figures, aims: Benchmark['aims']): void {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  for (const [name, value] of Object.entries(figures)) {
    const aim = aims[name]
    console.log(`${name.padEnd(width)} ${String(value).padStart(12)}${aim ? `   (${aim})` : ''}`)
  }
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
  )
}
