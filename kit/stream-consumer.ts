import { setTimeout as sleep } from 'node:timers/promises'

import type { Redis } from 'ioredis'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { z } from 'zod'

import { JobPayloadError } from './job.ts'
import type { Log } from './log.ts'
import { openRedis } from './redis.ts'

export interface StreamConsumerOptions<Batch extends z.ZodType> {
  redisUrl: string
  /** One key of `redisKeys`; its entries hold one field with JSON. */
  stream: string
  /** Replicas of one worker share a group, and so the work. */
  group: string
  batch: Batch
  /**
   * Applies one entry. It may be called twice for the same entry, also by two at once: make it idempotent. Throws
   * `JobPayloadError` for what can never succeed.
   */
  apply(batch: z.infer<Batch>): Promise<void>
  /** Records, in PostgreSQL, an entry that cannot be applied. The entry stays in the stream until this succeeded. */
  deadLetter(entry: DeadLetter): Promise<void>
  /** Other groups read the same entries: one that was applied here stays for them. */
  isShared?: boolean
  /** Shows what was settled and what waits; nowhere when absent. */
  metrics?: Registry
  log: Log
  /** How long an entry is left with a consumer that may be dead before another one takes it. */
  claimIdleMs?: number
}

export interface DeadLetter {
  stream: string
  entryId: string
  /** The JSON as it was read, cut at `deadLetterCharactersMax`. */
  text: string
  reason: string
}

export interface StreamConsumer {
  /** Why entries are not being applied at the moment, or null. */
  failing(): string | null
  /** Finishes the entry in hand. What was read beyond it is taken by another replica, or after the next start. */
  close(): Promise<void>
}

const readEntriesMax = 20
const blockMs = 2_000
const attemptsMax = 5
const retryMsMin = 200
const retryMsMax = 5_000
const defaultClaimIdleMs = 60_000
const closeMsMax = 10_000
const deadLetterCharactersMax = 100_000

/**
 * Consumes a stream of batches as one of a group. An entry is removed once it was applied or recorded as dead, so the
 * stream holds only what is still to do. While PostgreSQL or Redis is away nothing is given up; a group that a flush
 * destroyed is made again. At most `readEntriesMax` entries are in memory.
 */
export function openStreamConsumer<Batch extends z.ZodType>(
  options: StreamConsumerOptions<Batch>,
): StreamConsumer {
  const { stream, group, log, claimIdleMs = defaultClaimIdleMs } = options
  // A blocking read keeps its connection busy; acknowledgements need one of their own.
  const reader = openRedis(options.redisUrl, log, { blocking: true })
  const redis = openRedis(options.redisUrl, log, { blocking: true })
  const name = crypto.randomUUID()
  const closing = new AbortController()
  let failure: string | null = null

  const count = options.metrics && measure(options.metrics, redis, stream)

  async function run(): Promise<void> {
    let nextClaimAt = 0
    let failures = 0
    while (!closing.signal.aborted) {
      try {
        if (Date.now() >= nextClaimAt) {
          await ensureGroup(redis, group, stream)
          for (const entry of await claim()) await settle(entry)
          nextClaimAt = Date.now() + claimIdleMs
        }
        for (const entry of await read()) await settle(entry)
        if (failures > 0) log.info({ stream }, 'the stream is consumed again')
        failures = 0
        failure = null
      } catch (error) {
        if (closing.signal.aborted) return
        // The group vanishes with a flush: the next turn makes it again, reading from the start.
        nextClaimAt = 0
        if (String(error).includes('NOGROUP')) continue
        failures += 1
        failure = `the stream ${stream} cannot be consumed`
        if (failures === 1) log.warn({ err: error, stream }, 'the stream cannot be consumed')
        await pause(failures)
      }
    }
  }

  async function read(): Promise<StreamEntry[]> {
    const answer = (await reader.xreadgroup(
      ...(['GROUP', group, name, 'COUNT', readEntriesMax, 'BLOCK', blockMs] as const),
      ...(['STREAMS', stream, '>'] as const),
    )) as [string, StreamEntry[]][] | null
    return answer?.[0]?.[1] ?? []
  }

  /** Takes over what a dead consumer had read, or what this one failed to settle. */
  async function claim(): Promise<StreamEntry[]> {
    const [, entries] = (await redis.xautoclaim(
      ...([stream, group, name, claimIdleMs, '0', 'COUNT', readEntriesMax] as const),
    )) as [string, StreamEntry[]]
    return entries
  }

  async function settle([entryId, fields]: StreamEntry): Promise<void> {
    const text = fields?.[1] ?? ''
    const result = await applied(entryId, text)
    if (result === 'closing') return
    const settling = redis.multi().xack(stream, group, entryId)
    await (options.isShared ? settling : settling.xdel(stream, entryId)).exec()
    count?.(result)
  }

  async function applied(entryId: string, text: string): Promise<'applied' | 'dead' | 'closing'> {
    const giveUp = async (reason: string) => {
      log.error({ stream, entryId, reason }, 'an entry was given up')
      const cut = text.slice(0, deadLetterCharactersMax)
      await options.deadLetter({ stream, entryId, text: cut, reason: reason.slice(0, 2_000) })
      return 'dead' as const
    }
    const parsed = options.batch.safeParse(parseJson(text))
    if (!parsed.success) return giveUp(`malformed: ${parsed.error.message}`)

    let attempts = 0
    for (let failures = 1; !closing.signal.aborted; failures += 1) {
      try {
        await options.apply(parsed.data)
        failure = null
        return 'applied'
      } catch (error) {
        if (error instanceof JobPayloadError) return giveUp(error.message)
        if (!isOutage(error)) attempts += 1
        if (attempts >= attemptsMax) return giveUp(String(error))
        failure = `entries of ${stream} cannot be applied`
        if (failures === 1) log.warn({ err: error, stream, entryId }, 'an entry failed')
        await pause(failures)
      }
    }
    return 'closing'
  }

  async function pause(failures: number): Promise<void> {
    const delayMs = Math.min(retryMsMin * 2 ** Math.min(failures - 1, 10), retryMsMax)
    await sleep(delayMs * (0.5 + Math.random() / 2), undefined, { signal: closing.signal }).catch(
      () => undefined, // Closing ends the wait.
    )
  }

  const running = run()
  return {
    failing: () => (redis.status === 'ready' ? failure : 'Redis does not answer'),
    async close() {
      closing.abort()
      reader.disconnect()
      // The entry in hand is applied and acknowledged, unless Redis is away and an acknowledgement would wait for ever.
      const waitMs = redis.status === 'ready' ? closeMsMax : 0
      const impatience = setTimeout(() => redis.disconnect(), waitMs)
      await running
      clearTimeout(impatience)
      redis.disconnect()
    },
  }
}

/** Counts settled entries in the registry; returns what counts one. */
function measure(metrics: Registry, redis: Redis, stream: string): (result: string) => void {
  const settled = new Counter({
    name: 'sluice_worker_stream_entries_total',
    help: 'Entries of the stream that were settled, by result.',
    labelNames: ['result'],
    registers: [metrics],
  })
  const waiting = new Gauge({
    name: 'sluice_worker_stream_waiting_entries',
    help: 'Entries of the stream that are not settled yet.',
    registers: [],
    async collect() {
      if (redis.status === 'ready') this.set(await redis.xlen(stream).catch(() => 0))
    },
  })
  metrics.registerMetric(waiting)
  return (result) => settled.inc({ result })
}

/** Makes the consumer group if it is missing, reading from the start of the stream. */
async function ensureGroup(redis: Redis, group: string, stream: string): Promise<void> {
  try {
    await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM')
  } catch (error) {
    if (!String(error).includes('BUSYGROUP')) throw error
  }
}

/** `fields` is null for an entry that was deleted while somebody held it. */
type StreamEntry = [id: string, fields: string[] | null]

/** Not 57014: a statement that is cut for its length will be cut again. */
const outageCodes = /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|08|53|57P|40001|40P01|55P03)/
const outageMessages = /Connection terminated|timeout exceeded when trying to connect|closed/

/** Whether trying again later can help: PostgreSQL is away, restarting, out of room or resolving a conflict. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (outageCodes.test(code) || outageMessages.test(error.message)) return true
  return error.cause !== undefined && isOutage(error.cause)
}

/** Undefined for what is not JSON, which no schema accepts. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
