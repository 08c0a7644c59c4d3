import { Stop } from './stop.ts'

interface Entry<T> {
  readonly promise: Promise<T>
  readonly stop: Stop
  consumers: number
}

/**
 * Joins equal queries of one identity that are under way at the same time. Not a cache: an entry goes with its answer,
 * and after a mutation of the identity nobody joins a query that began before it. What is shared is the answer's text: the
 * executor merges into the objects it is given.
 */
export class InFlight<T extends Readonly<object>> {
  readonly #byIdentity = new Map<string, Map<string, Entry<T>>>()

  /** The answer of `start`, or of an equal query under way. `start` is cancelled when its last consumer has left. */
  join(
    identityKey: string,
    key: string,
    signal: AbortSignal,
    start: (stop: Stop) => Promise<T>,
  ): Promise<T> {
    const entries = this.#byIdentity.get(identityKey) ?? new Map<string, Entry<T>>()
    this.#byIdentity.set(identityKey, entries)
    const entry = entries.get(key) ?? this.#open(identityKey, entries, key, start)
    return this.#consume(entry, signal, () => this.#leave(identityKey, entries, key, entry))
  }

  /** Lets queries that begin from now on see what a mutation did. */
  forget(identityKey: string): void {
    this.#byIdentity.delete(identityKey)
  }

  #open(
    identityKey: string,
    entries: Map<string, Entry<T>>,
    key: string,
    start: (stop: Stop) => Promise<T>,
  ): Entry<T> {
    const stop = new Stop()
    const entry: Entry<T> = { promise: start(stop), stop, consumers: 0 }
    entries.set(key, entry)
    const leave = () => this.#leave(identityKey, entries, key, entry)
    entry.promise.then(leave, leave)
    return entry
  }

  #consume(entry: Entry<T>, signal: AbortSignal, leave: () => void): Promise<T> {
    entry.consumers += 1
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const gone = () => {
      entry.consumers -= 1
      reject(signal.reason)
      if (entry.consumers > 0) return
      leave()
      entry.stop.now(signal.reason)
    }
    if (signal.aborted) gone()
    else signal.addEventListener('abort', gone, { once: true })
    void entry.promise
      .finally(() => signal.removeEventListener('abort', gone))
      .then(resolve, reject)
    return promise
  }

  #leave(identityKey: string, entries: Map<string, Entry<T>>, key: string, entry: Entry<T>): void {
    if (entries.get(key) === entry) entries.delete(key)
    if (entries.size === 0 && this.#byIdentity.get(identityKey) === entries) {
      this.#byIdentity.delete(identityKey)
    }
  }
}
