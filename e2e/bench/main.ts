import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { benchHttp, type Figures } from './http.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } },
})
if (positionals[0] !== 'http') {
  console.error('usage: npm run bench http -- [--json FILE] [--quick]')
  process.exit(2)
}

try {
  const figures = await benchHttp({ quick: values.quick })
  print(figures)
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(rounded(figures), null, 2)}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** What was measured, and beside it what we aim at. */
function print(figures: Figures): void {
  const aims: Record<string, string> = {
    'http.c64.rps_vs_nginx': 'at least 0.7',
    'http.c64.cpu_vs_nginx': 'at most 1.8',
    'http.down.mbps_vs_nginx': 'at least 0.5',
    'http.up.mbps_vs_nginx': 'at least 0.5',
    'memory.relay_growth_mb': 'below 32',
    'memory.agent_growth_mb': 'below 32',
  }
  for (const [name, value] of Object.entries(rounded(figures))) {
    const aim = aims[name]
    console.log(`${name.padEnd(28)} ${String(value).padStart(12)}${aim ? `   (${aim})` : ''}`)
  }
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
  )
}
