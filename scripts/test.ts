import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startPostgres, startRedis } from '@sluice/kit/engines'

import { installDebianPackages } from './debian.ts'

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
    return await run('nx', [...packages, ...process.argv.slice(2)], env)
  } finally {
    await Promise.all(engines.map((engine) => engine.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(program: string, args: string[], env: Record<string, string>): Promise<number> {
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...process.env, NX_TUI: 'false', NX_DAEMON: 'false', NX_NO_CLOUD: 'true', ...env },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message)
      resolve(1)
    })
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

process.exitCode = await main()
