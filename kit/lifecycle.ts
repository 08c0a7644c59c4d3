import type { Log } from './log.ts'

export interface Closable {
  close(): Promise<void> | void
}

/** Closes what was opened, the last first. One failure does not keep the rest open. */
export class Closer implements Closable {
  readonly #closables: Closable[] = []
  #closed: Promise<void> | null = null

  /** Remembers what to close, and returns it. */
  add<T extends Closable>(closable: T): T {
    this.#closables.push(closable)
    return closable
  }

  defer(close: () => Promise<void> | void): void {
    this.#closables.push({ close })
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (const closable of this.#closables.toReversed()) {
      try {
        await closable.close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'could not close everything')
  }
}

/** Opens a part; when opening fails half-way, what was open is closed again. */
export async function opening<T>(open: (closer: Closer) => Promise<T>): Promise<T> {
  const closer = new Closer()
  try {
    return await open(closer)
  } catch (error) {
    await closer.close().catch(() => undefined) // The first failure is the one to report.
    throw error
  }
}

/** Closes on SIGTERM or SIGINT and exits 0; a second signal or `graceMs` without an end exits 1. For `main.ts` only. */
export function closeOnSignal(closable: Closable, log: Log, graceMs = 35_000): void {
  let closing = false
  const close = (signal: string) => {
    if (closing) process.exit(1)
    closing = true
    log.info({ signal }, 'closing')
    setTimeout(() => process.exit(1), graceMs).unref()
    Promise.resolve(closable.close()).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'could not close')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', close)
  process.on('SIGINT', close)
}
