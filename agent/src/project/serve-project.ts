import type { ProjectTunnel } from './read-project.ts'
import { TunnelRun, type TunnelRunOptions } from './tunnel-run.ts'

/** How long requests in flight go on when their tunnel is taken out of the file or started anew. */
const graceMsOfChange = 10_000

/** The tunnels of a project file, served together. */
export interface ProjectServer {
  /** Makes the wish come true and touches nothing that it leaves as it is. Changes follow one another. */
  apply(tunnels: readonly ProjectTunnel[]): Promise<void>
  /** Resolves with the first reason once no tunnel is left that is served or tried again. */
  readonly failed: Promise<unknown>
  close(options: { readonly graceMs: number }): Promise<void>
}

export function serveProject(options: TunnelRunOptions): ProjectServer {
  const { listener } = options
  const runs = new Map<string, TunnelRun>()
  const ending = new Set<Promise<void>>()
  const failed = Promise.withResolvers<unknown>()
  let isClosed = false
  let last: Promise<void> = Promise.resolve()

  function start(spec: ProjectTunnel): void {
    const run = new TunnelRun(spec, options)
    runs.set(spec.key, run)
    void run.done.then(() => {
      const all = [...runs.values()]
      if (!isClosed && all.length > 0 && all.every((each) => each.failure !== undefined)) {
        failed.resolve(all[0]?.failure)
      }
    })
  }

  /** In the background: a download of a minute must not hold up the other changes of a file. */
  function end(run: TunnelRun, graceMs: number): void {
    runs.delete(run.key)
    const ended = run.stop({ graceMs }).finally(() => ending.delete(ended))
    ending.add(ended)
  }

  async function applyNow(wanted: readonly ProjectTunnel[]): Promise<void> {
    if (isClosed) return
    const keys = new Set(wanted.map(({ key }) => key))
    for (const run of runs.values()) {
      if (keys.has(run.key)) continue
      end(run, graceMsOfChange)
      listener.stopped(run.key)
    }
    const changes = wanted.map(async (spec) => {
      const run = runs.get(spec.key)
      if (!run) return start(spec)
      if (run.isAt(spec)) return undefined
      try {
        if (await run.change(spec)) return undefined
      } catch (error) {
        // What was in force stays in force; the next save tries again.
        return listener.failed(spec.key, error, null)
      }
      end(run, graceMsOfChange)
      return start(spec)
    })
    await Promise.all(changes)
  }

  return {
    failed: failed.promise,
    apply(tunnels) {
      last = last.then(() => applyNow(tunnels))
      return last
    },
    async close({ graceMs }) {
      isClosed = true
      for (const run of runs.values()) end(run, graceMs)
      await Promise.all(ending)
    },
  }
}
