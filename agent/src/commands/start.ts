import { SluiceError } from '@sluice/schema/errors'

import { warnOfEnd } from '../authtoken-end.ts'
import { openInspectorFor } from '../inspector/open-inspector-for.ts'
import { openTunnel } from '../open-tunnel.ts'
import { Interrupted } from '../problem.ts'
import { findProject, projectPaths } from '../project/find-project.ts'
import { createProjectView, faultLine } from '../project/project-view.ts'
import { readProject, type Project, type ProjectTunnel } from '../project/read-project.ts'
import { serveProject } from '../project/serve-project.ts'
import { watchProject } from '../project/watch-file.ts'
import type { Fault } from '../project/yaml-values.ts'
import { createTargetGuard } from '../target-guard.ts'
import { apiOf, type CommandContext } from './context.ts'

/** How long requests in flight may go on after Ctrl-C. */
const graceMs = 10_000

export interface StartFlags {
  readonly all?: boolean
  readonly config?: string
}

/** The project file to work with, read and valid. */
export function openProject(named: string | undefined, env: NodeJS.ProcessEnv): Project {
  const file = findProject(named, env, process.cwd())
  if (file === null) {
    const paths = projectPaths(env, process.cwd()).join(', ')
    throw new SluiceError('SLUICE_PROJECT_NOT_FOUND', { paths })
  }
  const { project, faults } = readProject(file, env)
  if (!project) throw invalid(file, faults)
  return project
}

export function invalid(file: string, faults: readonly Fault[]): SluiceError {
  const reason = faults.map((fault) => faultLine(file, fault)).join('\n              ')
  return new SluiceError('SLUICE_PROJECT_INVALID', { file, reason })
}

/** Serves tunnels of the project file until the person stops, and follows the file as it is saved. */
export async function runStart(
  project: Project,
  names: readonly string[],
  flags: StartFlags,
  context: CommandContext,
  open: typeof openTunnel = openTunnel,
): Promise<void> {
  const { settings, io, output } = context
  const wanted = choose(project, names, flags)
  const api = apiOf(context)
  await warnOfEnd(api, output, settings)
  const view = createProjectView(output, settings.server)
  const inspector = await openInspectorFor(project.agent, output)
  if (inspector) output.message(`Inspector: ${inspector.url}`)
  const guard = createTargetGuard(project.agent.allowTargets)
  const tapOf = ({ key, kind, upstream, input, inspect }: ProjectTunnel) =>
    inspect && kind === 'http'
      ? inspector?.inspect(key, { upstream, hostHeader: input.hostHeader ?? 'preserve', guard })
      : undefined
  const served = serveProject({
    api,
    ca: settings.ca,
    proxyOf: settings.proxyOf,
    guard,
    listener: view,
    open,
    tapOf,
  })
  await served.apply(wanted)

  const reload = () => {
    const { project: next, faults } = readProject(project.file, io.env)
    if (!next) {
      view.invalid(project.file, faults)
      return
    }
    const changed = changedSettings(project, next)
    if (changed.length > 0) view.restartNeeded(changed)
    const stays = flags.all ? next.tunnels : next.tunnels.filter(({ key }) => isNamed(key))
    void served.apply(stays)
  }
  const chosen = new Set(wanted.map(({ key }) => key))
  const isNamed = (key: string) => chosen.has(key)
  const endWatch = watchProject(project.file, reload)
  try {
    const failure = await Promise.race([served.failed, aborted(io.signal)])
    if (!(failure instanceof Interrupted)) throw failure
    view.closing()
    await served.close({ graceMs })
  } finally {
    endWatch()
    await Promise.all([served.close({ graceMs: 0 }), inspector?.close()])
  }
}

function choose(
  { file, tunnels }: Project,
  names: readonly string[],
  { all }: StartFlags,
): readonly ProjectTunnel[] {
  const known = tunnels.map(({ key }) => key).join(', ') || 'none'
  for (const name of names) {
    if (tunnels.some(({ key }) => key === name)) continue
    throw new SluiceError('SLUICE_PROJECT_TUNNEL_UNKNOWN', { file, name, names: known })
  }
  if (names.length > 0) return tunnels.filter(({ key }) => names.includes(key))
  if (all || tunnels.length === 1) return tunnels
  const reason = `Name the tunnels to start, or say --all. ${file} has: ${known}.`
  throw new SluiceError('SLUICE_USAGE', { reason, command: 'start' })
}

function changedSettings({ agent }: Project, { agent: next }: Project): string[] {
  const keys = new Set([...Object.keys(agent), ...Object.keys(next)]) as Set<keyof typeof agent>
  return [...keys].filter((key) => JSON.stringify(agent[key]) !== JSON.stringify(next[key]))
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const stop = () => resolve(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
}
