import type { SessionIo } from '@sluice/wire'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** What happens at one moment, before the clock moves on. More is a loop. */
const tasksPerMomentMax = 100_000

/** The time and dice of a simulated world. Nothing happens by itself: one seed is one course of events. */
export class Clock {
  nowMs = 0
  readonly #tasks: (() => void)[] = []
  readonly #timers = new Set<Timer>()
  #order = 0
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 up to 1 (mulberry32). */
  readonly random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  /** True about so often. */
  chance(share: number): boolean {
    return this.random() < share
  }

  get timers(): number {
    return this.#timers.size
  }

  task(run: () => void): void {
    this.#tasks.push(run)
  }

  readonly setTimer = (run: () => void, delayMs: number): (() => void) => {
    this.#order += 1
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets time pass. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      this.#settle()
      const next = this.#next()
      if (!next || next.atMs > untilMs) break
      this.#timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
    }
    this.nowMs = untilMs
  }

  /** The world as a session sees it. */
  io(send: SessionIo['send'], close: SessionIo['close']): SessionIo {
    return {
      now: () => this.nowMs,
      setTimer: this.setTimer,
      defer: (run) => this.task(run),
      send,
      close,
    }
  }

  #settle(): void {
    for (let count = 0; ; count += 1) {
      const task = this.#tasks.shift()
      if (!task) return
      if (count > tasksPerMomentMax) throw new Error('time stands still: tasks without end')
      task()
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (!next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order))
        next = timer
    }
    return next
  }
}
