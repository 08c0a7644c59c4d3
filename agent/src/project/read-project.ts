import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { SluiceError } from '@sluice/schema/errors'
import type { ProxyProtocolVersion } from '@sluice/wire'

import { reasonOf as fileReasonOf } from '../config-file.ts'
import type { RawOptions } from '../session/agent-session.ts'
import { createTargetGuard } from '../target-guard.ts'
import { parsePortTarget, parseTarget, type Upstream } from '../target.ts'
import {
  assertConnections,
  startTunnelInput,
  type HttpFlags,
  type StartTunnelInput,
} from '../tunnel-input.ts'
import { nearestOf } from './nearest.ts'
import {
  keysOf,
  isKeyOfKind,
  policyKeys,
  ProjectShape,
  secretKeys,
  type ProjectValues,
  type TunnelValues,
} from './shape.ts'
import { readYamlValues, type Fault, type YamlValues } from './yaml-values.ts'

const fileBytesMax = 256 * 1024

/** One tunnel of a project file, ready to be started. */
export interface ProjectTunnel {
  /** Its key in the file. */
  readonly key: string
  readonly kind: 'http' | 'tcp' | 'tls' | 'udp'
  readonly upstream: Upstream
  readonly input: StartTunnelInput
  /** Of kinds other than HTTP. */
  readonly raw?: RawOptions
  /** Of HTTP. */
  readonly proxyProtocol?: ProxyProtocolVersion
  readonly inspect: boolean
}

export interface Project {
  readonly file: string
  readonly agent: {
    readonly server?: string
    readonly authtoken?: string
    readonly ca?: string
    readonly proxy?: string
    readonly allowTargets: readonly string[]
    readonly inspect: boolean
    readonly inspectPort?: number
  }
  readonly tunnels: readonly ProjectTunnel[]
}

/** A project file as read: usable, or all that is wrong with it. */
export type ProjectReading =
  | { readonly project: Project; readonly faults: readonly [] }
  | { readonly project: null; readonly faults: readonly Fault[] }

/** Reads and checks a project file. Throws only when there is no such file. */
export function readProject(file: string, env: NodeJS.ProcessEnv): ProjectReading {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = fileReasonOf(error)
    throw new SluiceError('SLUICE_CONFIG_NOT_READ', { path: file, reason }, { cause: error })
  }
  return parseProject(text, file, env)
}

/** As `readProject`, for text that is at hand. */
export function parseProject(text: string, file: string, env: NodeJS.ProcessEnv): ProjectReading {
  if (text.length > fileBytesMax) {
    const message = `the file is larger than ${fileBytesMax / 1024} KiB`
    return { project: null, faults: [{ line: 1, column: 1, path: '', message }] }
  }
  const yaml = readYamlValues(text, { env, verbatimKeys: secretKeys })
  if (yaml.faults.length > 0) return { project: null, faults: inOrder(yaml.faults) }
  const parsed = ProjectShape.safeParse(yaml.value)
  if (!parsed.success) {
    return {
      project: null,
      faults: inOrder(parsed.error.issues.flatMap((one) => faultsOf(one, yaml))),
    }
  }
  return build(parsed.data, file, env, yaml)
}

function build(
  values: ProjectValues,
  file: string,
  env: NodeJS.ProcessEnv,
  yaml: YamlValues,
): ProjectReading {
  const faults: Fault[] = []
  /** Runs one part; what it finds wrong is said at the place where the part stands. */
  function at<Result>(path: readonly string[], read: () => Result): Result | undefined {
    try {
      return read()
    } catch (error) {
      faults.push({ ...yaml.positionOf(path), path: path.join('.'), message: reasonOf(error) })
      return undefined
    }
  }
  const folder = dirname(file)
  const { agent = {} } = values
  const authtoken = agent.authtoken
  const ca = agent.ca
  const project: Project = {
    file,
    agent: {
      inspect: agent.inspect ?? true,
      allowTargets: agent['allow-target'] ?? [],
      ...(agent.server === undefined ? {} : { server: agent.server }),
      ...(agent.proxy === undefined ? {} : { proxy: agent.proxy }),
      ...(agent['inspect-port'] === undefined ? {} : { inspectPort: agent['inspect-port'] }),
      ...optional('ca', ca && at(['agent', 'ca'], () => readFileSync(resolve(folder, ca), 'utf8'))),
      ...optional(
        'authtoken',
        authtoken && at(['agent', 'authtoken'], () => readSecret(authtoken, folder, env)),
      ),
    },
    tunnels: Object.entries(values.tunnels).flatMap(([key, tunnel]): ProjectTunnel[] => {
      const path = ['tunnels', key]
      const kind = tunnel.proto ?? 'http'
      for (const field of Object.keys(tunnel)) {
        if (isKeyOfKind(field, kind)) continue
        const position = yaml.keyPositionOf(path, field)
        const message = `${field} means nothing for a ${kind} tunnel`
        faults.push({ ...position, path: [...path, field].join('.'), message })
      }
      const target = String(tunnel.target)
      const upstream = at([...path, 'target'], () =>
        kind === 'http'
          ? parseTarget(target, tunnel['upstream-protocol'])
          : parsePortTarget(kind, target),
      )
      const input = inputOf(key, tunnel, folder, (field, flags) =>
        at([...path, field], () => startTunnelInput(flags, env)),
      )
      if (!upstream) return []
      const inspect = tunnel.inspect ?? true
      const proxyProtocol = tunnel['proxy-protocol']
      if (kind === 'http') {
        at([...path, 'proxy-protocol'], () => assertConnections(proxyProtocol, upstream))
        return [
          { key, kind, upstream, input, inspect, ...optional('proxyProtocol', proxyProtocol) },
        ]
      }
      const ofKind = {
        ...input,
        kind: upperKinds[kind],
        ...(tunnel.port === undefined ? {} : { port: tunnel.port }),
      }
      const raw = { proxyProtocol }
      return [{ key, kind, upstream, input: ofKind, raw, inspect }]
    }),
  }
  const guard = at(['agent', 'allow-target'], () => createTargetGuard(project.agent.allowTargets))
  for (const { key, upstream } of project.tunnels) {
    at(['tunnels', key, 'target'], () => guard?.check(upstream))
  }
  const names = new Map<string, string>()
  for (const { key, input } of project.tunnels) {
    const name = input.name ?? key
    const other = names.get(name)
    const path = ['tunnels', key, 'name']
    if (other !== undefined) {
      const message = `${other} has the name ${name} already`
      faults.push({ ...yaml.positionOf(path), path: path.join('.'), message })
    }
    names.set(name, key)
  }
  return faults.length > 0
    ? { project: null, faults: inOrder(faults) }
    : { project, faults: [] as const }
}

const upperKinds = { tcp: 'TCP', tls: 'TLS', udp: 'UDP' } as const

/** The flags of the command line by the keys that mean the same. */
function flagsOf(tunnel: TunnelValues, folder: string): Readonly<Record<string, HttpFlags>> {
  return {
    region: optional('region', tunnel.region),
    pooling: optional('pooling', tunnel.pooling),
    'host-header': optional('hostHeader', tunnel['host-header']),
    'basic-auth': optional(
      'basicAuth',
      tunnel['basic-auth']?.map((each) => flagSecretOf(each, folder)),
    ),
    'allow-ip': optional('allowIp', tunnel['allow-ip']),
    'deny-ip': optional('denyIp', tunnel['deny-ip']),
    'rate-limit': optional('rateLimit', tunnel['rate-limit']),
    bandwidth: optional('bandwidth', tunnel.bandwidth),
    'request-header': optional('requestHeader', tunnel['request-header']),
    'response-header': optional('responseHeader', tunnel['response-header']),
    'remove-request-header': optional('removeRequestHeader', tunnel['remove-request-header']),
    'remove-response-header': optional('removeResponseHeader', tunnel['remove-response-header']),
    compress: optional('compress', tunnel.compress),
    'verify-webhook': optional(
      'verifyWebhook',
      tunnel['verify-webhook']?.replace(/=@(.+)$/, (_, path) => `=@${resolve(folder, path)}`),
    ),
    'visitor-ca': optional(
      'visitorCa',
      tunnel['visitor-ca'] === undefined ? undefined : resolve(folder, tunnel['visitor-ca']),
    ),
  }
}

/** Each flag is checked alone, so that a fault has its place, and then all of them together are the input. */
function inputOf(
  key: string,
  tunnel: TunnelValues,
  folder: string,
  read: (field: string, flags: HttpFlags) => StartTunnelInput | undefined,
): StartTunnelInput {
  const name = tunnel.name ?? key
  const flags = flagsOf(tunnel, folder)
  const checked = Object.entries(flags).map(([field, each]) => read(field, each))
  if (checked.includes(undefined)) return { name }
  const input = read('name', Object.assign({ name }, ...Object.values(flags))) ?? { name }
  // A list that is there and empty is a wish as well: nobody is asked, all may come.
  const isCleared = !input.policy && policyKeys.some((field) => tunnel[field] !== undefined)
  return isCleared ? { ...input, policy: { basicAuth: [], allowIps: [], denyIps: [] } } : input
}

/** `--basic-auth` knows `env:` and `@file`; a path in the file is seen from the file. */
function flagSecretOf(text: string, folder: string): string {
  if (text.startsWith('${')) return `env:${text.slice(2, -1)}`
  return text.startsWith('@') ? `@${resolve(folder, text.slice(1))}` : text
}

function readSecret(text: string, folder: string, env: NodeJS.ProcessEnv): string {
  if (text.startsWith('@')) return readFileSync(resolve(folder, text.slice(1)), 'utf8').trim()
  const name = text.startsWith('env:') ? text.slice('env:'.length) : text.slice(2, -1)
  const value = env[name]?.trim()
  if (!value) throw new Error(`${name} is not set`)
  return value
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value })
}

function reasonOf(error: unknown): string {
  if (error instanceof SluiceError) return String(error.details['reason'] ?? error.message)
  if (error instanceof Error && 'code' in error)
    return `the file cannot be read (${String(error.code)})`
  return error instanceof Error ? error.message : String(error)
}

type Issue = NonNullable<ReturnType<typeof ProjectShape.safeParse>['error']>['issues'][number]

/** One fault of the shape, in words and at its place. */
function faultsOf(issue: Issue, yaml: YamlValues): Fault[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = nearestOf(key, keysOf(path))
      const hint = near === undefined ? '' : `; did you mean ${near}?`
      const position = yaml.keyPositionOf(path, key)
      return { ...position, path: [...path, key].join('.'), message: `unknown key ${key}${hint}` }
    })
  }
  if (issue.code === 'invalid_key') {
    const message = `a name consists of ${issue.issues[0]?.message ?? 'letters'}`
    const position = yaml.keyPositionOf(path.slice(0, -1), path.at(-1) ?? '')
    return [{ ...position, path: path.join('.'), message }]
  }
  const missing = path.length === 0 || yaml.has(path) ? '' : `${path.at(-1)} is missing: `
  const message = `${missing}expected ${issue.message}`
  return [{ ...yaml.positionOf(path), path: path.join('.'), message }]
}

function inOrder(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column)
}
