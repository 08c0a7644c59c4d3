import { spawnSync } from 'node:child_process'

/** What CI runs, cheapest first: each step's name, program and arguments. */
const steps: [string, string, string[]][] = [
  ['format', 'oxfmt', ['--check', '.']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings', '.']],
  ['types of scripts', 'tsc', ['--noEmit', '-p', '.']],
  ['types', 'nx', ['run-many', '-t', 'types', '--parallel=2', '--outputStyle=static']],
  ['dead code', 'knip', []],
  ['undeclared', 'knip', ['--strict', '--include', 'unlisted']],
  ['schema', 'node', ['scripts/schema.ts', 'check']],
  ['tests', 'node', ['scripts/test.ts']],
]

for (const [name, program, args] of steps) {
  const started = Date.now()
  const { status } = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...process.env, NX_TUI: 'false', NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
  })
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  if (status !== 0) {
    console.error(`verify: ${name} failed after ${seconds} s (${[program, ...args].join(' ')})`)
    process.exit(status ?? 1)
  }
  console.error(`verify: ${name} passed in ${seconds} s`)
}
