import { parseArgs } from 'node:util'

import { residentMbOf } from '../bench/process.ts'
import { stormBenchmark } from '../bench/storm.ts'
import { Plant, host } from '../faults/plant.ts'
import { closedLoop } from './closed-loop.ts'
import { judge, readThresholds, writeFigures } from './verdict.ts'

/** How this machine's data plane bears up: in calm, beside readers that do not read, and when a relay dies with all its agents. */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    thresholds: { type: 'string' },
    json: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
if (!(seconds > 0)) {
  console.error(
    'usage: npm run resilience -- [--seconds N] [--quick] [--thresholds FILE] [--json FILE]',
  )
  process.exit(2)
}

const stuckReaders = 20
const hugeBytes = 1_073_741_824

const figures = {
  ...(await calmAndPressed()),
  ...(await stormBenchmark.run({ quick: values.quick })),
}
if (values.json !== undefined) writeFigures(values.json, figures)
const thresholds = readThresholds(values.thresholds ?? new URL('thresholds.json', import.meta.url))
process.exit(judge(figures, thresholds) ? 0 : 1)

async function calmAndPressed(): Promise<Record<string, number>> {
  await using plant = await Plant.start()
  const loop = { url: `http://127.0.0.1:${plant.ports.http}/`, host, connections: 16, seconds }
  const memory = (): [number, number] => [
    residentMbOf(plant.process('relay').pid ?? 0),
    residentMbOf(plant.process('agent').pid ?? 0),
  ]
  // Once for the sake of what is compiled on the way.
  await closedLoop({ ...loop, seconds: seconds / 2 })
  const baseline = await closedLoop(loop)
  const [relayBefore, agentBefore] = memory()
  const stuck = await Promise.all(
    Array.from({ length: stuckReaders }, () => plant.ask(`/large?bytes=${hugeBytes}`)),
  )
  const pressed = await closedLoop(loop)
  const [relayAfter, agentAfter] = memory()
  for (const response of stuck) response.destroy()
  return {
    'baseline.rps': baseline.rps,
    'baseline.failed': baseline.failed,
    'baseline.p99_ms': baseline.p99Ms,
    'backpressure.rps': pressed.rps,
    'backpressure.failed': pressed.failed,
    'backpressure.p99_vs_baseline': pressed.p99Ms / baseline.p99Ms,
    'backpressure.relay_growth_mb': relayAfter - relayBefore,
    'backpressure.agent_growth_mb': agentAfter - agentBefore,
  }
}
