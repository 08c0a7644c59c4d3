import type { Problem } from '../graph/problem.ts'

export interface StreamSink<E> {
  readonly next: (event: E) => void
  /** The stream ended; a problem says why when the server told. */
  readonly end: (problem: Problem | null) => void
}

export interface FollowDeps<E> {
  /** Opens the stream from where the last one stopped; returns how to close it. */
  readonly open: (sink: StreamSink<E>) => () => void
  readonly onEvent: (event: E) => void
  /** A new stream replaces a lost one: read again what may have been missed. */
  readonly onRestart: () => void
  readonly onProblem: (problem: Problem | null) => void
  readonly onReconnected: (listener: () => void) => () => void
  readonly setTimer: (fire: () => void, delayMs: number) => () => void
  readonly random: () => number
}

export const restartFirstMs = 1_000
export const restartMaxMs = 30_000

/**
 * Keeps a stream open until closed. The WebSocket client repeats a subscription with the variables of its first
 * time, so after a reconnect the stream is opened anew: only then does it resume at the last cursor.
 */
export function followStream<E>(deps: FollowDeps<E>): () => void {
  let closeStream = () => {}
  let cancelTimer = () => {}
  let failures = 0
  let turn = 0

  const open = () => {
    const mine = ++turn
    closeStream = deps.open({
      next(event) {
        if (mine !== turn) return
        failures = 0
        deps.onProblem(null)
        deps.onEvent(event)
      },
      end(problem) {
        if (mine !== turn) return
        turn += 1
        deps.onProblem(problem)
        const delayMs = Math.min(restartFirstMs * 2 ** failures, restartMaxMs)
        failures += 1
        cancelTimer = deps.setTimer(restart, delayMs * (0.5 + deps.random() / 2))
      },
    })
  }

  const restart = () => {
    cancelTimer()
    turn += 1
    closeStream()
    deps.onRestart()
    open()
  }

  const forget = deps.onReconnected(restart)
  open()
  return () => {
    turn += 1
    forget()
    cancelTimer()
    closeStream()
  }
}
