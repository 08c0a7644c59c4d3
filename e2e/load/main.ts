import { parseArgs } from 'node:util'

import { closedLoop } from './closed-loop.ts'
import { judge, readThresholds, writeFigures } from './verdict.ts'

const usage =
  'usage: npm run load http -- --url URL [--host NAME] [--connections N] [--seconds N] [--thresholds FILE] [--json FILE]'
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    host: { type: 'string' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '10' },
    thresholds: { type: 'string' },
    json: { type: 'string' },
  },
})
const connections = Number(values.connections)
const seconds = Number(values.seconds)
if (positionals[0] !== 'http' || values.url === undefined || !(connections > 0) || !(seconds > 0)) {
  console.error(usage)
  process.exit(2)
}

const result = await closedLoop({ url: values.url, host: values.host, connections, seconds })
const figures = {
  'load.requests': result.requests,
  'load.failed': result.failed,
  'load.rps': result.rps,
  'load.p50_ms': result.p50Ms,
  'load.p99_ms': result.p99Ms,
}
if (values.json !== undefined) writeFigures(values.json, figures)
const thresholds = readThresholds(values.thresholds ?? new URL('thresholds.json', import.meta.url))
process.exitCode = judge(figures, thresholds) ? 0 : 1
