import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Log } from '@sluice/kit/log'

const restartFirstMs = 500
const restartMostMs = 15_000
/** A process that lived this long has not failed at its start. */
const healthyMs = 30_000
const readyMsMax = 60_000

export interface SupervisorOptions {
  /** The program of one relay. */
  readonly file: string
  readonly processes: number
  /** How long a process may take to close. */
  readonly closeMsMax: number
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
}

export interface Supervisor {
  /** Replaces the processes one after the other; the rest serves meanwhile. */
  restart(): Promise<void>
  /** Ends all of them, each as if it were alone. Rejects when one does not end well. */
  close(): Promise<void>
}

interface Seat {
  readonly number: number
  child: ChildProcess | undefined
  failures: number
  /** Somebody ends its process on purpose. */
  leaving: boolean
}

/** Keeps several relay processes behind the same public ports: one process has one core. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { log } = options
  const closing = new AbortController()
  const seats = Array.from({ length: options.processes }, (_, index): Seat => {
    return { number: index + 1, child: undefined, failures: 0, leaving: false }
  })
  let restarting: Promise<void> | undefined

  function start(seat: Seat): ChildProcess {
    const startedMs = performance.now()
    const env = { ...options.env, RELAY_PROCESS: String(seat.number) }
    const child = fork(options.file, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    seat.child = child
    seat.leaving = false
    child.once('exit', (code, signal) => {
      seat.child = undefined
      if (seat.leaving || closing.signal.aborted) return
      seat.failures = performance.now() - startedMs > healthyMs ? 1 : seat.failures + 1
      const delayMs = restartDelayMs(seat.failures)
      log.error({ process: seat.number, code, signal, delayMs }, 'a process has ended')
      void startLater(seat, delayMs)
    })
    return child
  }

  async function startLater(seat: Seat, delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { signal: closing.signal }).catch(() => undefined)
    if (!closing.signal.aborted && !seat.child) start(seat)
  }

  /** Ends the process of a seat as an operator would. Answers whether it ended well. */
  async function end(seat: Seat): Promise<boolean> {
    const { child } = seat
    seat.leaving = true
    if (!child || child.exitCode !== null || child.signalCode !== null) return true
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), options.closeMsMax)
    const [code] = await exited
    clearTimeout(force)
    return code === 0
  }

  async function replaceAll(): Promise<void> {
    for (const seat of seats) {
      if (closing.signal.aborted) return
      await end(seat)
      if (closing.signal.aborted) return
      await untilReady(start(seat))
      log.info({ process: seat.number }, 'a process was replaced')
    }
  }

  for (const seat of seats) start(seat)
  return {
    restart() {
      restarting ??= replaceAll().finally(() => {
        restarting = undefined
      })
      return restarting
    },
    async close() {
      closing.abort()
      const ended = await Promise.all(seats.map(end))
      if (ended.includes(false)) throw new Error('a process did not end well')
    },
  }
}

/** Ready, gone, or not worth waiting for any longer. */
async function untilReady(child: ChildProcess): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  await Promise.race([
    once(child, 'message', { signal }),
    once(child, 'exit', { signal }),
    sleep(readyMsMax, undefined, { signal }),
  ])
  settled.abort()
}

function restartDelayMs(failures: number): number {
  const mostMs = Math.min(restartMostMs, restartFirstMs * 2 ** Math.min(failures - 1, 10))
  return mostMs * (0.5 + Math.random() / 2)
}
