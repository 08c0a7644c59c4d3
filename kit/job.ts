import type { z } from 'zod'

/** Work that a subgraph owns and a worker hosts. It may run twice, late, or beside itself. */
export interface Job<Deps, Payload extends z.ZodType> {
  readonly name: string
  readonly payload: Payload
  run(payload: z.infer<Payload>, deps: Deps, signal: AbortSignal): Promise<void>
}

/** Gives a job its types; does nothing else. */
export function defineJob<Deps, Payload extends z.ZodType>(
  job: Job<Deps, Payload>,
): Job<Deps, Payload> {
  return job
}

/** A job bound to its dependencies: what a worker sees. */
export interface BoundJob {
  readonly name: string
  /** Parses, then runs. Throws `JobPayloadError` for what can never succeed. */
  run(data: unknown, signal: AbortSignal): Promise<void>
}

/** A payload that does not parse: trying again cannot help. */
export class JobPayloadError extends Error {
  override readonly name = 'JobPayloadError'
}

export function bindJob<Deps, Payload extends z.ZodType>(
  job: Job<Deps, Payload>,
  deps: Deps,
): BoundJob {
  return {
    name: job.name,
    async run(data, signal) {
      const parsed = job.payload.safeParse(data)
      if (!parsed.success) throw new JobPayloadError(`${job.name}: ${parsed.error.message}`)
      await job.run(parsed.data, deps, signal)
    },
  }
}
