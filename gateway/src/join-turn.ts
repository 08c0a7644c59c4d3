interface Turn {
  readonly stop: AbortController
  joins: number
  readonly close: () => void
}

/**
 * Deadlines of joins. Those that begin in one turn of the event loop share one, and its signal: a burst of events would
 * else spend more on timers and signals than on its answers.
 */
export class JoinTurn {
  readonly #timeoutMs: number
  #current: Turn | null = null

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** `signal` ends with `stopped` or at the deadline. Call `leave` once the join is over. */
  enter(stopped: AbortSignal): { signal: AbortSignal; leave: () => void } {
    const turn = this.#current ?? this.#open(stopped)
    turn.joins += 1
    const leave = (): void => {
      turn.joins -= 1
      if (turn.joins === 0 && turn !== this.#current) turn.close()
    }
    return { signal: turn.stop.signal, leave }
  }

  #open(stopped: AbortSignal): Turn {
    const stop = new AbortController()
    const end = (): void => stop.abort(stopped.reason)
    if (stopped.aborted) end()
    stopped.addEventListener('abort', end, { once: true })
    const deadline = setTimeout(() => {
      stop.abort(new DOMException('the join took too long', 'TimeoutError'))
    }, this.#timeoutMs)
    const turn: Turn = {
      stop,
      joins: 0,
      close() {
        clearTimeout(deadline)
        stopped.removeEventListener('abort', end)
      },
    }
    this.#current = turn
    setImmediate(() => {
      this.#current = null
      if (turn.joins === 0) turn.close()
    })
    return turn
  }
}
