import Bull from 'bull'
import { Redis } from 'ioredis'
import { Counter, Histogram, type Registry } from 'prom-client'

import { JobPayloadError, type BoundJob } from './job.ts'
import type { Log } from './log.ts'

/** How a job is hosted: the worker says when, how often and how many at once. */
export interface HostedJob {
  job: BoundJob
  /** Runs by itself at this interval, once per interval however many workers there are. */
  everyMs?: number
  concurrency?: number
  runMsMax?: number
}

const attemptsMax = 3
const backoffMs = 1_000
const keptJobsMax = 100
const defaultRunMsMax = 30_000

/**
 * Hosts jobs on Bull queues. Bull only wakes: what must happen is a row in PostgreSQL, found again by the interval
 * when Redis lost the wake-up.
 */
export async function hostJobs(options: {
  /** The worker's name, prefix of its queues. */
  worker: string
  redisUrl: string
  jobs: HostedJob[]
  metrics: Registry
  log: Log
}): Promise<{ add(name: string, data: unknown): Promise<void>; close(): Promise<void> }> {
  const { worker, redisUrl, log, metrics } = options
  const ended = new Counter({
    name: 'sluice_worker_jobs_total',
    help: 'Jobs that ended, by result.',
    labelNames: ['job', 'result'],
    registers: [metrics],
  })
  const seconds = new Histogram({
    name: 'sluice_worker_job_duration_seconds',
    help: 'How long a job ran.',
    labelNames: ['job'],
    registers: [metrics],
  })
  const stopping = new AbortController()
  // Bull wants three connections per queue; command and subscriber connections are shared by all queues.
  const connections: Redis[] = []
  const connect = () => {
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: null, enableReadyCheck: false })
    redis.on('error', () => undefined) // Bull reports it on the queue.
    // Every queue listens on what they share: Node would take many queues for a leak.
    redis.setMaxListeners(0)
    connections.push(redis)
    return redis
  }
  const shared = { client: connect(), subscriber: connect() }

  const queues = new Map<string, Bull.Queue>()
  for (const { job, concurrency = 1, runMsMax = defaultRunMsMax } of options.jobs) {
    const queue = new Bull(`${worker}.${job.name}`, {
      prefix: 'sluice:bull',
      createClient: (type) => (type === 'bclient' ? connect() : shared[type]),
      // Longer than the longest run, so that a slow run is not given to a second worker.
      settings: { lockDuration: runMsMax * 2, stalledInterval: runMsMax * 2, maxStalledCount: 1 },
      defaultJobOptions: {
        attempts: attemptsMax,
        backoff: { type: 'exponential', delay: backoffMs },
        removeOnComplete: keptJobsMax,
        removeOnFail: keptJobsMax,
      },
    })
    // Bull names its connection and catches nothing: cut while it connects, that would end the process.
    Object.assign(queue, { setWorkerName: () => Promise.resolve() })
    queues.set(job.name, queue)
    let away = false
    // Bull also tells of a connection that was closed under it, without an error.
    queue.on('error', (error: Error | undefined) => {
      if (!away) log.warn({ job: job.name, reason: error?.message }, 'the queue is away')
      away = true
    })
    queue.on('completed', () => {
      away = false
    })
    const processing = queue.process(concurrency, async (delivery) => {
      const stop = seconds.startTimer({ job: job.name })
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(runMsMax)])
      try {
        await job.run(delivery.data, signal)
        ended.inc({ job: job.name, result: 'done' })
      } catch (error) {
        ended.inc({ job: job.name, result: 'failed' })
        log.warn({ err: error, job: job.name, attempt: delivery.attemptsMade + 1 }, 'a job failed')
        if (error instanceof JobPayloadError) await delivery.discard()
        throw error
      } finally {
        stop()
      }
    })
    processing.catch((error: unknown) => {
      // A worker that closes while it still connects cuts its own connections.
      if (!stopping.signal.aborted)
        log.error({ err: error, job: job.name }, 'the queue has stopped')
    })
  }
  const timers = options.jobs.flatMap(({ job, everyMs }) =>
    everyMs === undefined ? [] : [every(queues.get(job.name), everyMs)],
  )
  return {
    async add(name, data) {
      // A fresh id per attempt: Bull drops an id it still remembers.
      await queues.get(name)?.add(data)
    },
    async close() {
      stopping.abort()
      for (const timer of timers) clearInterval(timer)
      await Promise.all(
        Array.from(queues.values(), (queue) => queue.close().catch(() => undefined)),
      )
      for (const redis of connections) redis.disconnect()
    },
  }
}

/**
 * Adds a run per interval. The id is the interval's number, so that of several workers one adds it; an interval
 * survives `FLUSHALL`, which a repeatable job of Bull does not.
 */
function every(queue: Bull.Queue | undefined, intervalMs: number): NodeJS.Timeout {
  const add = () => {
    const slot = Math.floor(Date.now() / intervalMs)
    // While Redis is away the run is missed; the next one finds the same rows.
    queue?.add({}, { jobId: `slot-${slot}`, attempts: 1 }).catch(() => undefined)
  }
  add()
  return setInterval(add, intervalMs)
}
