import { spreadIndex, type Answer } from './representations.ts'

interface Consumer {
  readonly representations: readonly string[]
  readonly signal: AbortSignal
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
}

/** Sends the representations of several fetches as one. */
type Send = (representations: readonly string[], signal: AbortSignal) => Promise<Answer>

/** Entities of one fetch, at most: a larger batch goes as several. */
const batchRepresentationsMax = 500

/**
 * Entity fetches that ask the same of different entities, within one turn of the event loop, as one: the joins of a
 * burst of events differ in nothing but the keys.
 */
export class EntityBatches {
  readonly #open = new Map<string, Consumer[]>()

  /** `key` is equal for fetches of one identity that differ in their representations alone. */
  load(
    key: string,
    representations: readonly string[],
    signal: AbortSignal,
    send: Send,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const consumer: Consumer = { representations, signal, resolve, reject }
    const waiting = this.#open.get(key)
    if (waiting && sizeOf(waiting) + representations.length <= batchRepresentationsMax) {
      waiting.push(consumer)
      return promise
    }
    const batch = [consumer]
    this.#open.set(key, batch)
    setImmediate(() => {
      if (this.#open.get(key) === batch) this.#open.delete(key)
      void sendBatch(batch, send)
    })
    return promise
  }
}

/** Each consumer may leave alone; the fetch is cancelled with the last. */
async function sendBatch(batch: readonly Consumer[], send: Send): Promise<void> {
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
    const answer = await send(
      batch.flatMap(({ representations }) => representations),
      stop.signal,
    )
    let from = 0
    for (const { representations, resolve } of batch) {
      resolve(sliceOf(answer, from, from + representations.length))
      from += representations.length
    }
  } catch (error) {
    for (const { reject } of batch) reject(error)
  } finally {
    for (const [index, { signal }] of batch.entries()) {
      const leave = leaves[index]
      if (leave) signal.removeEventListener('abort', leave)
    }
  }
}

/** The part of one consumer, with its own indexes. What concerns no single entity concerns everybody. */
function sliceOf({ data, errors = [] }: Answer, from: number, to: number): Answer {
  const entities = (data as { _entities?: unknown } | null)?._entities
  const own = errors.flatMap((error) =>
    spreadIndex(error, (index) => (index >= from && index < to ? [index - from] : [])),
  )
  return {
    data: Array.isArray(entities) ? { _entities: entities.slice(from, to) } : data,
    ...(own.length > 0 ? { errors: own } : {}),
  }
}

function sizeOf(consumers: readonly Consumer[]): number {
  return consumers.reduce((sum, { representations }) => sum + representations.length, 0)
}
