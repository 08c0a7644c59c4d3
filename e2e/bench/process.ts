import { fork, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

import type { Load, LoadResult } from './load-driver.ts'

/** What this run has started: none of it may outlive it, however it ends. */
const started = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of started) child.kill('SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Ends a child with this process. */
export function keep(child: ChildProcess): ChildProcess {
  started.add(child)
  child.once('exit', () => started.delete(child))
  return child
}

const clockTicksPerSecond = 100
const pageBytes = 4_096
/** Beside other work on few cores a start takes long. */
const readyTimeoutMs = 60_000

/** Starts a Node program of the repository and waits for a line that shows it is ready. */
export async function startNode(
  file: string,
  env: Record<string, string>,
  ready: (line: string) => boolean,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  keep(child)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`${file} was not ready in time`)), readyTimeoutMs)
  child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (ready(line)) resolve()
  })
  await promise.finally(() => clearTimeout(timer))
  return child
}

/** A load driver in a process of its own. */
export function startDriver(): { run(load: Load): Promise<LoadResult>; child: ChildProcess } {
  const child = fork(new URL('load-driver.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  keep(child)
  return {
    child,
    run(load) {
      const { promise, resolve, reject } = Promise.withResolvers<LoadResult>()
      child.once('message', (answer: { result?: LoadResult; error?: string }) => {
        if (answer.result) resolve(answer.result)
        else reject(new Error(answer.error))
      })
      child.send(load)
      return promise
    },
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(timer)
}

/** CPU time of processes so far, in seconds. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / clockTicksPerSecond
}

export function residentMbOf(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return (Number(pages) * pageBytes) / 1_048_576
}

export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}
