import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'

import { startPostgres } from '@sluice/kit/engines'

import { installDebianPackages } from './debian.ts'
import { createTestLog, namesIn, type FailedFiles } from './test-log.ts'

/** Of one package's failures, said again at the end. */
const failureCharactersMax = 6_000
/** `true` where a failed test file gets a second chance: in CI, which must not stop everybody for a flake. */
const asksAgainVariable = 'SLUICE_TEST_ASK_AGAIN'
/** Failed files of all packages together that are asked again. */
const askedAgainMax = 5

/**
 * Runs every test: what the machine lacks is installed, one PostgreSQL serves all packages, and Nx runs each package's
 * tests, from its cache where nothing it depends on changed.
 */
async function main(): Promise<number> {
  installDebianPackages(['redis-server', 'chromium'])
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), throwaway: true })
  const env = { SLUICE_TEST_DATABASE_URL: postgres.url }
  try {
    // The repository's own tests look at every package, so no cache can vouch for them.
    const repository = await run('vitest', ['run'], env)
    if (repository !== 0) return repository
    const packages = ['run-many', '-t', 'test', '--parallel=2', '--outputStyle=static']
    return await runPackages([...packages, ...process.argv.slice(2)], env)
  } finally {
    await postgres.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the packages' tests and says again at the end what failed: the end of a log is what is read, and kept, first. */
async function runPackages(args: string[], env: Record<string, string>): Promise<number> {
  const log = createTestLog()
  const code = await run('nx', args, { FORCE_COLOR: '1', ...env }, (coloured) =>
    log.line(stripVTControlCharacters(coloured)),
  )
  for (const { title, text } of log.failures()) {
    console.log(`\n${title}\n${text.slice(0, failureCharactersMax)}`)
  }
  if (code === 0 || process.env[asksAgainVariable] !== 'true') return code
  return (await passesWhenAskedAgain(log.failedFiles(), env)) ? 0 : code
}

/**
 * Runs the failed files once more, each in a world of its own, and names those that pass now. Many failures are no
 * accident: then nothing is asked again.
 */
async function passesWhenAskedAgain(
  failed: FailedFiles[] | null,
  env: Record<string, string>,
): Promise<boolean> {
  if (!failed || failed.flatMap(({ files }) => files).length > askedAgainMax) return false
  for (const { root, files } of failed) {
    console.log(`\nAsking again in ${root}: ${files.join(', ')}`)
    const code = await run('vitest', ['run', '--root', root, ...files], env)
    if (code !== 0) return false
  }
  console.log('\nPassed only when asked again (see "A flake is a bug" in CONTRIBUTING.md):')
  for (const name of failed.flatMap((one) => namesIn(process.cwd(), one))) console.log(`  ${name}`)
  return true
}

function run(
  program: string,
  args: string[],
  env: Record<string, string>,
  onLine?: (line: string) => void,
): Promise<number> {
  const child = spawn(program, args, {
    stdio: onLine ? ['inherit', 'pipe', 'pipe'] : 'inherit',
    env: { ...process.env, NX_TUI: 'false', NX_DAEMON: 'false', NX_NO_CLOUD: 'true', ...env },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  if (onLine) {
    child.stdout?.pipe(process.stdout, { end: false })
    child.stderr?.pipe(process.stderr, { end: false })
    for (const input of [child.stdout, child.stderr]) {
      if (input) createInterface({ input }).on('line', onLine)
    }
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
