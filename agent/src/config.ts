import { readFileSync } from 'node:fs'

import { SluiceError } from '@sluice/schema/errors'

import { configPath, readSavedConfig, type SavedConfig } from './config-file.ts'
import { proxyFromEnvironment, type ProxyOf } from './proxy.ts'

const defaultServer = 'http://localhost:4000'

/** The options that every command takes. */
export interface GlobalFlags {
  readonly server?: string | undefined
  readonly ca?: string | undefined
  readonly proxy?: string | undefined
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
  /** Commander's form of `--no-color`. */
  readonly color?: boolean | undefined
}

/** Where a value came from, for `sluice status`. */
type Origin = 'flag' | 'environment' | 'project' | 'file' | 'default'

export interface Settings {
  /** An origin, without a slash at the end. */
  readonly server: string
  readonly serverFrom: Origin
  readonly authtoken: string | null
  readonly authtokenFrom: Origin | null
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined
  readonly proxyOf: ProxyOf
  readonly configPath: string
  /** Where an unreadable configuration file was moved to. */
  readonly movedTo: string | null
}

/** What a project file says about the same things. */
export interface ProjectSettings {
  readonly server?: string | undefined
  readonly authtoken?: string | undefined
  /** The certificates themselves. */
  readonly ca?: string | undefined
  readonly proxy?: string | undefined
}

/** Flags over environment over project file over what was saved over default. */
export async function readSettings(
  flags: GlobalFlags,
  env: NodeJS.ProcessEnv,
  project: ProjectSettings = {},
): Promise<Settings> {
  const path = configPath(env)
  const { config, movedTo } = await readSavedConfig(path)
  const { server, serverFrom } = chooseServer(flags, env, project, config)
  const fromEnvironment = env['SLUICE_AUTHTOKEN']?.trim() || null
  const fromProject = project.authtoken ?? null
  const fromFile = config.servers[server]?.authtoken ?? null
  const saved = fromFile === null ? null : 'file'
  const stored = fromProject === null ? saved : 'project'
  return {
    server,
    serverFrom,
    authtoken: fromEnvironment ?? fromProject ?? fromFile,
    authtokenFrom: fromEnvironment === null ? stored : 'environment',
    ca: readCa(flags.ca ?? env['SLUICE_CA_FILE']) ?? project.ca,
    proxyOf: proxyFromEnvironment(env, flags.proxy ?? project.proxy),
    configPath: path,
    movedTo,
  }
}

/** The server's origin. A path is refused: the server is the console's address, not an endpoint's. */
function parseServer(text: string): string {
  // As people type it: `localhost:4000` is this machine, any other host has HTTPS.
  const isBareHost = /^[\w-]+([.:][\w-]+)+$/.test(text)
  const scheme = /^(localhost|127\.\d+\.\d+\.\d+)(:|$)/.test(text) ? 'http' : 'https'
  const whole = isBareHost ? `${scheme}://${text}` : text
  const url = URL.canParse(whole) ? new URL(whole) : null
  const isBare = url !== null && url.pathname === '/' && url.search === '' && url.hash === ''
  if (!url || !isBare || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new SluiceError('SLUICE_USAGE', {
      reason: `The server ${text.slice(0, 200)} is not valid: it has the form https://sluice.example.com.`,
      command: '',
    })
  }
  return url.origin
}

function chooseServer(
  flags: GlobalFlags,
  env: NodeJS.ProcessEnv,
  project: ProjectSettings,
  config: SavedConfig,
) {
  const candidates: readonly [Origin, string | null | undefined][] = [
    ['flag', flags.server],
    ['environment', env['SLUICE_SERVER']?.trim() || null],
    ['project', project.server],
    ['file', config.server],
    ['default', defaultServer],
  ]
  for (const [serverFrom, text] of candidates) {
    if (typeof text === 'string') return { server: parseServer(text), serverFrom }
  }
  return { server: defaultServer, serverFrom: 'default' as const }
}

function readCa(path: string | undefined): string | undefined {
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new SluiceError(
      'SLUICE_USAGE',
      { reason: `The certificates to trust cannot be read: ${path}`, command: '' },
      { cause: error },
    )
  }
}
