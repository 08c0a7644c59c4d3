import { sliceOf } from './executor/entities.ts'
import type { FetchAnswer } from './executor/fetch.ts'

interface Consumer {
  readonly representations: readonly string[]
  readonly signal: AbortSignal
  readonly resolve: (answer: FetchAnswer) => void
  readonly reject: (reason: unknown) => void
}

/** Sends the representations of several fetches as one. */
type Send = (representations: readonly string[], signal: AbortSignal) => Promise<FetchAnswer>

/** Entities of one fetch, at most: a larger batch goes as several. */
const batchRepresentationsMax = 500

/**
 * Entity fetches of one turn that ask the same of different entities, as one: live subscriptions of one person to several
 * tunnels differ in nothing but the keys.
 */
export class EntityBatches {
  /** Those that go at the end of this turn. */
  readonly #collecting = new Map<string, Consumer[]>()

  /** `key` is equal for fetches of one identity that differ in their representations alone. */
  load(
    key: string,
    representations: readonly string[],
    signal: AbortSignal,
    send: Send,
  ): Promise<FetchAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<FetchAnswer>()
    const consumer: Consumer = { representations, signal, resolve, reject }
    const known = this.#collecting.get(key)
    if (known && sizeOf(known) + representations.length <= batchRepresentationsMax) {
      known.push(consumer)
      return promise
    }
    const batch = [consumer]
    this.#collecting.set(key, batch)
    // After everything that goes on from one answer, which is where the fetches of a turn come from.
    process.nextTick(() => {
      if (this.#collecting.get(key) === batch) this.#collecting.delete(key)
      void sendBatch(batch, send)
    })
    return promise
  }
}

async function sendBatch(batch: readonly Consumer[], send: Send): Promise<void> {
  const [only] = batch
  if (!only || batch.length > 1) return sendForMany(batch, send)
  await send(only.representations, only.signal).then(only.resolve, only.reject)
}

/** Each consumer may leave alone; the fetch is cancelled with the last. */
async function sendForMany(batch: readonly Consumer[], send: Send): Promise<void> {
  const stop = new AbortController()
  let left = 0
  const leaves = batch.map(({ signal, reject }) => {
    const leave = () => {
      left += 1
      reject(signal.reason)
      if (left === batch.length) stop.abort(signal.reason)
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    return leave
  })
  try {
    if (stop.signal.aborted) return
    const all = batch.flatMap(({ representations }) => representations)
    spread(await send(all, stop.signal), batch)
  } catch (error) {
    for (const { reject } of batch) reject(error)
  } finally {
    for (const [index, { signal }] of batch.entries()) {
      const leave = leaves[index]
      if (leave) signal.removeEventListener('abort', leave)
    }
  }
}

function spread(answer: FetchAnswer, batch: readonly Consumer[]): void {
  let from = 0
  for (const { representations, resolve } of batch) {
    resolve(sliceOf(answer, from, from + representations.length))
    from += representations.length
  }
}

function sizeOf(consumers: readonly Consumer[]): number {
  return consumers.reduce((sum, { representations }) => sum + representations.length, 0)
}
