import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { EngineError } from '@sluice/kit/engines'

import { portVariables, type LocalConfig } from './config.ts'

const layout = '1'

/**
 * Takes the data folder for this process. A second start is told where the first one is; what a killed one left
 * behind is cleared away.
 */
export function takeFolder(dataFolder: string, consoleUrl: string): { close(): void } {
  try {
    mkdirSync(join(dataFolder, 'run'), { recursive: true, mode: 0o755 })
  } catch (error) {
    throw new EngineError(
      `${dataFolder} cannot be written: choose another folder with SLUICE_DATA. (${String(error)})`,
    )
  }
  stampFolder(dataFolder)
  const file = join(dataFolder, 'run/platform.json')
  const mine = JSON.stringify({ pid: process.pid, consoleUrl })
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(file, mine, { flag: 'wx' })
      return { close: () => rmSync(file, { force: true }) }
    } catch (error) {
      if (!isExisting(error)) throw error
    }
    const other = readInstance(file)
    if (other && runs(other.pid, 'docker/local')) {
      throw new EngineError(
        `Sluice runs already (process ${other.pid}, console ${other.consoleUrl}): stop it with Ctrl-C there, or choose another folder with SLUICE_DATA.`,
      )
    }
    rmSync(file, { force: true })
  }
  throw new EngineError(`${file} changes under our hands: is another start under way?`)
}

/** Notes a process of ours, so that a start after a crash can end it. */
export function noteProcess(dataFolder: string, name: string, pid: number): void {
  writeFileSync(join(dataFolder, 'run', `${name}.pid`), String(pid))
}

/** Ends a process that a crashed start left behind, if the number still belongs to that program. */
export function endLeftOver(dataFolder: string, name: string, program: string): void {
  const file = join(dataFolder, 'run', `${name}.pid`)
  let pid: number
  try {
    pid = Number(readFileSync(file, 'utf8'))
  } catch {
    return // Nothing was left behind.
  }
  if (runs(pid, program)) process.kill(pid, 'SIGKILL')
  rmSync(file, { force: true })
}

/** Throws for the first port that another program has. */
export async function assertPortsFree(ports: LocalConfig['ports']): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (port === 0 || (await isFree(port))) continue
    const variable = portVariables[name as keyof LocalConfig['ports']]
    throw new EngineError(
      `Port ${port} is taken by another program: end it, or choose another port, for example ${variable}=${port + 100} npm start.`,
    )
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function readInstance(file: string): { pid: number; consoleUrl: string } | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { pid: number; consoleUrl: string }
  } catch {
    return null // A half-written file belongs to nobody.
  }
}

function runs(pid: number, program: string): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program)
  } catch {
    return false
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

/** Marks a new folder with the layout that writes it, and refuses one of another layout. */
function stampFolder(folder: string): void {
  const file = join(folder, 'LAYOUT')
  if (!existsSync(file)) writeFileSync(file, `${layout}\n`)
  const found = readFileSync(file, 'utf8').trim()
  if (found !== layout) {
    throw new EngineError(
      `${folder} was written by layout ${found} of Sluice, this version needs ${layout}: move the folder away and start again.`,
    )
  }
}
