import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'

import { startPostgres, startRedis } from '@sluice/kit/engines'

import { installDebianPackages } from './debian.ts'

/** Of one package's failures, said again at the end. */
const failureCharactersMax = 6_000

/**
 * Runs every test: what the machine lacks is installed, one PostgreSQL and one Redis serve all packages, and Nx runs
 * each package's tests, from its cache where nothing it depends on changed.
 */
async function main(): Promise<number> {
  installDebianPackages(['redis-server', 'chromium'])
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  const engines = await Promise.all([
    startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true }),
    startRedis(),
  ])
  const [postgres, redis] = engines
  const env = {
    SLUICE_TEST_DATABASE_URL: postgres.url,
    SLUICE_TEST_REDIS_URL: redis.url,
  }
  try {
    // The repository's own tests look at every package, so no cache can vouch for them.
    const repository = await run('vitest', ['run'], env)
    if (repository !== 0) return repository
    const packages = ['run-many', '-t', 'test', '--parallel=2', '--outputStyle=static']
    return await runPackages([...packages, ...process.argv.slice(2)], env)
  } finally {
    await Promise.all(engines.map((engine) => engine.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the packages' tests and says again at the end what failed: the end of a log is what is read, and kept, first. */
async function runPackages(args: string[], env: Record<string, string>): Promise<number> {
  const sections: string[] = []
  const code = await run('nx', args, { FORCE_COLOR: '1', ...env }, (coloured) => {
    const line = stripVTControlCharacters(coloured)
    if (line.startsWith('> nx run ')) sections.push('')
    const last = sections.pop()
    if (last !== undefined) sections.push(`${last}${line}\n`)
  })
  const failed = sections.filter((section) => section.includes(' FAIL '))
  for (const section of failed) {
    const [title = ''] = section.split('\n', 1)
    const from = section.search(/^.*Failed (Suites|Tests) .*$/m)
    console.log(`\n${title}\n${section.slice(Math.max(0, from)).slice(0, failureCharactersMax)}`)
  }
  return code
}

function run(
  program: string,
  args: string[],
  env: Record<string, string>,
  onLine?: (line: string) => void,
): Promise<number> {
  const child = spawn(program, args, {
    stdio: ['inherit', onLine ? 'pipe' : 'inherit', 'inherit'],
    env: { ...process.env, NX_TUI: 'false', NX_DAEMON: 'false', NX_NO_CLOUD: 'true', ...env },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  if (onLine && child.stdout) {
    child.stdout.pipe(process.stdout, { end: false })
    createInterface({ input: child.stdout }).on('line', onLine)
  }
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message)
      resolve(1)
    })
    child.once('close', (code) => resolve(code ?? 1))
  })
}

process.exitCode = await main()
