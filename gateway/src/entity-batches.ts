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
/** How long a batch waits for the one before it, to become larger meanwhile. A subgraph that is slow delays nobody by more. */
const holdMsMax = 4

/** Fetches of one key. */
interface Line {
  /** Collects until it goes. */
  batch: Consumer[] | null
  /** Batches that were sent and are not answered. */
  underWay: number
  /** Lets the batch that waits go. */
  release: (() => void) | null
}

/**
 * Entity fetches that ask the same of different entities as one: the joins of a burst of events differ in nothing but
 * the keys. A batch goes at the end of the turn, or, while one like it is under way, with its answer or after `holdMsMax`:
 * the more there is to do, the larger batches become.
 */
export class EntityBatches {
  readonly #lines = new Map<string, Line>()

  /** `key` is equal for fetches of one identity that differ in their representations alone. */
  load(
    key: string,
    representations: readonly string[],
    signal: AbortSignal,
    send: Send,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const consumer: Consumer = { representations, signal, resolve, reject }
    const line = this.#lines.get(key) ?? { batch: null, underWay: 0, release: null }
    this.#lines.set(key, line)
    if (line.batch && sizeOf(line.batch) + representations.length > batchRepresentationsMax) {
      line.release?.()
    }
    if (line.batch) {
      line.batch.push(consumer)
      return promise
    }
    const batch = [consumer]
    line.batch = batch
    const go = (): void => {
      clearTimeout(hold)
      if (line.batch !== batch) return
      line.batch = null
      line.release = null
      line.underWay += 1
      void sendBatch(batch, send).then(() => {
        line.underWay -= 1
        line.release?.()
        if (line.underWay === 0 && !line.batch) this.#lines.delete(key)
      })
    }
    const hold = line.underWay > 0 ? setTimeout(go, holdMsMax) : undefined
    if (!hold) setImmediate(go)
    line.release = go
    return promise
  }
}

async function sendBatch(batch: readonly Consumer[], send: Send): Promise<void> {
  const [first, ...others] = batch
  const isOne = first && others.every(({ signal }) => signal === first.signal)
  if (!isOne) return sendForMany(batch, send)
  try {
    spread(await send(representationsOf(batch), first.signal), batch)
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
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
    spread(await send(representationsOf(batch), stop.signal), batch)
  } catch (error) {
    for (const { reject } of batch) reject(error)
  } finally {
    for (const [index, { signal }] of batch.entries()) {
      const leave = leaves[index]
      if (leave) signal.removeEventListener('abort', leave)
    }
  }
}

function representationsOf(batch: readonly Consumer[]): string[] {
  return batch.flatMap(({ representations }) => representations)
}

function spread(answer: Answer, batch: readonly Consumer[]): void {
  let from = 0
  for (const { representations, resolve } of batch) {
    resolve(sliceOf(answer, from, from + representations.length))
    from += representations.length
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
