import { bytesText, durationText } from '../figures.ts'
import type { OpenTunnel } from '../open-tunnel.ts'
import type { Output } from '../output.ts'
import { shownProblemOf } from '../problem.ts'
import { forwardedLine } from '../request-log.ts'
import { addressText, targetText } from '../target.ts'
import { nothingListens } from '../tunnel-view.ts'
import type { ProjectTunnel } from './read-project.ts'
import type { ProjectListener } from './tunnel-run.ts'
import type { Fault } from './yaml-values.ts'

export interface ProjectView extends ProjectListener {
  /** The file was saved and cannot be used: what was in force stays. */
  invalid(file: string, faults: readonly Fault[]): void
  /** Settings of the program itself have changed, which only a new start takes over. */
  restartNeeded(keys: readonly string[]): void
  closing(): void
}

/** `sluice.yml:4:5: unknown key taget; did you mean target? (tunnels.app.taget)`. */
export function faultLine(file: string, { line, column, path, message }: Fault): string {
  return `${file}:${line}:${column}: ${message}${path === '' ? '' : ` (${path})`}`
}

/** Several tunnels: one line on stdout for each that is ready, remarks on stderr. */
export function createProjectView(output: Output, server: string): ProjectView {
  return output.json ? createJsonView(output, server) : createPlainView(output, server)
}

function createPlainView(output: Output, server: string): ProjectView {
  return {
    ready(key, { urls }, spec, { unreached, targetRefused }) {
      const url = urls[0] ?? ''
      output.result(`${key}  ${url}  ->  ${targetOf(spec)}`)
      if (targetRefused) output.warning(`${key}: ${nothingListens(targetOf(spec))}`)
      if (unreached === undefined) return
      output.warning(
        `${key}: ${url} did not answer this machine: ${unreached}. Visitors elsewhere may reach it.`,
      )
    },
    online: (key) => output.message(`${key}: online again.`),
    offline: (key, reason, retryInMs) =>
      output.message(`${key}: offline: ${reason}. Next attempt ${inSeconds(retryInMs)}.`),
    request: (key, request) => output.message(forwardedLine(key, request, output)),
    connection(key, { visitorIp, durationMs, bytesIn, bytesOut }) {
      const bytes = `${bytesText(bytesIn)} in, ${bytesText(bytesOut)} out`
      output.message(`${key}: ${visitorIp}  ${durationText(durationMs)}  ${bytes}`)
    },
    failed(key, error, retryInMs) {
      const { title, cause, fix, code } = shownProblemOf(error, server)
      const next = retryInMs === null ? fix : `Next attempt ${inSeconds(retryInMs)}.`
      output.warning(`${key}: ${title} ${cause} ${next} (${code})`)
    },
    changed: (key, parts) => output.message(`${key}: changed: ${parts.join(', ')}.`),
    stopped: (key) => output.message(`${key}: stopped.`),
    invalid(file, faults) {
      for (const fault of faults) output.warning(faultLine(file, fault))
      output.warning('The file was not taken over; what was in force stays.')
    },
    restartNeeded: (keys) =>
      output.warning(`Start again for what has changed in agent: ${keys.join(', ')}.`),
    closing: () =>
      output.message('Closing; requests in flight finish. Ctrl-C again stops at once.'),
  }
}

function createJsonView(output: Output, server: string): ProjectView {
  const event = (name: string, fields: object) =>
    void output.event({ event: name, at: new Date().toISOString(), ...fields })
  return {
    ready: (tunnel, open, spec, remarks) =>
      event('ready', { tunnel, ...readyFields(open, spec), ...remarks }),
    online: (tunnel) => event('reconnected', { tunnel }),
    offline: (tunnel, reason, retryInMs) => event('disconnected', { tunnel, reason, retryInMs }),
    request: (tunnel, request) => event('request', { tunnel, ...request }),
    connection: (tunnel, connection) => event('connection', { tunnel, ...connection }),
    failed(tunnel, error, retryInMs) {
      const { exitCode: _exitCode, ...problem } = shownProblemOf(error, server)
      event('failed', { tunnel, retryInMs, ...problem })
    },
    changed: (tunnel, parts) => event('changed', { tunnel, parts }),
    stopped: (tunnel) => event('stopped', { tunnel }),
    invalid: (file, faults) => event('invalid', { file, faults }),
    restartNeeded: (keys) => event('restart-needed', { keys }),
    closing: () => event('closing', {}),
  }
}

function readyFields({ id, name, urls, region }: OpenTunnel, spec: ProjectTunnel) {
  const { kind } = spec
  return { url: urls[0], urls, name, kind, tunnelId: id, region, target: targetOf(spec) }
}

function targetOf({ kind, upstream }: ProjectTunnel): string {
  return kind === 'http' ? targetText(upstream) : addressText(upstream)
}

function inSeconds(ms: number): string {
  return `in ${(ms / 1000).toFixed(1)} s`
}
