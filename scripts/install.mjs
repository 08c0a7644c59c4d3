// What `npm start`, `npm test` and `npm run verify` share before anything is installed. It runs on Node 20 as it is
// and depends on nothing: it installs what the lock file names, Node 24 included, and hands over to that.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const stampFile = join(root, 'node_modules/.sluice-installed')
const nodeMajor = 24

/** Installs from the lock file unless that was done for this very lock file. Exits with one sentence when it fails. */
export function install() {
  // A program of ours that starts another has looked already.
  if (process.env.SLUICE_INSTALLED === '1') return
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return
  const started = Date.now()
  console.error('Installing the packages of package-lock.json (about a minute the first time) …')
  rmSync(stampFile, { force: true })
  // No install scripts: nothing we use needs one, and none can surprise us.
  const { status, error, signal } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' },
  )
  if (signal) process.exit(130)
  if (error || status !== 0) {
    console.error(
      `npm could not install the packages (${error?.message ?? `exit code ${status}`}): check the network and the messages above, then run the command again.`,
    )
    process.exit(1)
  }
  writeFileSync(stampFile, wanted)
  console.error(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`)
}

/** The path of a Node that runs our TypeScript as it is. */
export function findNode() {
  const bundled = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`)
  if (existsSync(bundled)) return bundled
  if (Number(process.versions.node.split('.')[0]) >= nodeMajor) return process.execPath
  console.error(
    `There is no packaged Node ${nodeMajor} for ${process.platform}-${process.arch}: install Node ${nodeMajor} or newer and run the command again.`,
  )
  return process.exit(1)
}

/** Runs a program of ours to its end and exits with its code. Ctrl-C reaches it through the terminal; we wait. */
export function handOver(args, env = {}) {
  const cache = join(root, '.sluice/compile-cache')
  mkdirSync(cache, { recursive: true })
  const child = spawn(findNode(), args, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      SLUICE_INSTALLED: '1',
      NODE_COMPILE_CACHE: cache,
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
      ...env,
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal signals the whole group; a supervisor only us.
      if (!process.stdin.isTTY || signal === 'SIGTERM') child.kill(signal)
    })
  }
  child.once('error', (error) => {
    console.error(`Node could not be started: ${error.message}`)
    process.exit(1)
  })
  child.once('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}
