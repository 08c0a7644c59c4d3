import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { SluiceError } from '@sluice/schema/errors'

const unitName = 'sluice.service'
const commandTimeoutMs = 60_000

export type Scope = 'user' | 'system'

/** What the machine offers; a test lends another one. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv
  /** Exists where systemd is what runs the machine. */
  readonly runFolder: string
  readonly systemUnits: string
  run(command: string, args: readonly string[]): Promise<string>
}

export function thisMachine(env: NodeJS.ProcessEnv): Machine {
  return {
    env,
    runFolder: '/run/systemd/system',
    systemUnits: '/etc/systemd/system',
    async run(command, args) {
      const { stdout } = await promisify(execFile)(command, args, { timeout: commandTimeoutMs })
      return stdout
    },
  }
}

export interface ServiceStatus {
  readonly unit: string
  readonly installed: boolean
  /** In systemd’s words: active, inactive, failed, activating. */
  readonly state: string
  /** In systemd’s words: enabled, disabled, not-found. */
  readonly enabled: string
}

/** Where the unit stands. */
export function unitPath(scope: Scope, { env, systemUnits }: Machine): string {
  if (scope === 'system') return join(systemUnits, unitName)
  const base = env['XDG_CONFIG_HOME']
  const folder = base?.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.config')
  return join(folder, 'systemd/user', unitName)
}

/** Writes the unit and starts it, now and at every boot. */
export async function installUnit(scope: Scope, text: string, machine: Machine): Promise<string> {
  assertSystemd(machine)
  const path = unitPath(scope, machine)
  await guarded(async () => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { mode: 0o644 })
    await systemctl(scope, machine, 'daemon-reload')
    await systemctl(scope, machine, 'enable', unitName)
    // A second installation takes the new text over.
    await systemctl(scope, machine, 'restart', unitName)
  })
  return path
}

/** Stops the unit and takes it away. False when there was none. */
export async function uninstallUnit(scope: Scope, machine: Machine): Promise<boolean> {
  assertSystemd(machine)
  const path = unitPath(scope, machine)
  if (!existsSync(path)) return false
  await guarded(async () => {
    await systemctl(scope, machine, 'disable', '--now', unitName)
    await rm(path)
    await systemctl(scope, machine, 'daemon-reload')
  })
  return true
}

export async function statusOfUnit(scope: Scope, machine: Machine): Promise<ServiceStatus> {
  assertSystemd(machine)
  const unit = unitPath(scope, machine)
  return {
    unit,
    installed: await isOurs(unit),
    state: await asked(scope, machine, 'is-active'),
    enabled: await asked(scope, machine, 'is-enabled'),
  }
}

async function isOurs(path: string): Promise<boolean> {
  try {
    return (await readFile(path, 'utf8')).includes('Description=Sluice tunnels')
  } catch {
    // Not there, or not readable, is not installed as far as this person is concerned.
    return false
  }
}

/** These answer by exit code as well: not active is no failure. */
async function asked(scope: Scope, machine: Machine, question: string): Promise<string> {
  try {
    return (await systemctl(scope, machine, question, unitName)).trim()
  } catch (error) {
    const answer = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : ''
    return answer === '' ? 'not-found' : answer
  }
}

function systemctl(scope: Scope, machine: Machine, ...args: string[]): Promise<string> {
  return machine.run('systemctl', scope === 'user' ? ['--user', ...args] : args)
}

function assertSystemd({ runFolder }: Machine): void {
  if (process.platform !== 'linux') {
    const reason = `this is ${process.platform}`
    throw new SluiceError('SLUICE_SERVICE_MANAGER_MISSING', { reason })
  }
  if (!existsSync(runFolder)) {
    const reason = 'systemd does not run this machine, as in most containers'
    throw new SluiceError('SLUICE_SERVICE_MANAGER_MISSING', { reason })
  }
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    const reason = told || (error instanceof Error ? error.message : String(error))
    throw new SluiceError('SLUICE_SERVICE_FAILED', { reason }, { cause: error })
  }
}
