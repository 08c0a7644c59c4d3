import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { SluiceError } from '@sluice/schema/errors'

import { readSavedConfig } from '../config-file.ts'
import type { Project } from '../project/read-project.ts'
import {
  installUnit,
  statusOfUnit,
  thisMachine,
  uninstallUnit,
  unitPath,
  type Machine,
  type Scope,
} from '../service/systemd.ts'
import { unitText } from '../service/unit.ts'
import type { CommandContext } from './context.ts'

export interface ServiceFlags {
  readonly system?: boolean
  readonly runAs?: string
  readonly config?: string
  readonly print?: boolean
}

/** Lets systemd keep the tunnels of the project file open. */
export async function runServiceInstall(
  project: Project,
  flags: ServiceFlags,
  context: CommandContext,
  machine: Machine = thisMachine(context.io.env),
): Promise<void> {
  const { output, io } = context
  const scope = scopeOf(flags)
  const user = scope === 'system' ? systemUser(flags, io.env) : undefined
  if (!flags.print) await assertCredential(project, context)
  const variables = join(dirname(context.settings.configPath), 'service.env')
  const text = unitText({
    scope,
    command: [process.execPath, realpathSync(process.argv[1] ?? '')],
    file: project.file,
    folder: dirname(project.file),
    variables,
    user,
    configHome: io.env['XDG_CONFIG_HOME'],
  })
  if (flags.print) {
    output.result(text.trimEnd())
    return
  }
  const unit = await installUnit(scope, text, machine)
  if (output.json) {
    output.event({ event: 'installed', unit, scope, text })
    return
  }
  output.message(`Wrote ${unit}:`)
  output.message(text.trimEnd())
  output.message('It runs now and at every start.')
  output.message(`Variables that the project file names stand in ${variables}, for your eyes only.`)
  if (scope === 'user') {
    output.message('To keep it running while nobody is logged in: loginctl enable-linger')
  }
}

export async function runServiceUninstall(
  flags: ServiceFlags,
  { output, io }: Pick<CommandContext, 'output' | 'io'>,
  machine: Machine = thisMachine(io.env),
): Promise<void> {
  const scope = scopeOf(flags)
  const unit = unitPath(scope, machine)
  const removed = await uninstallUnit(scope, machine)
  if (output.json) output.event({ event: 'uninstalled', unit, removed })
  else output.message(removed ? `Removed ${unit}` : `There was no ${unit}`)
}

export async function runServiceStatus(
  flags: ServiceFlags,
  { output, io }: Pick<CommandContext, 'output' | 'io'>,
  machine: Machine = thisMachine(io.env),
): Promise<void> {
  const status = await statusOfUnit(scopeOf(flags), machine)
  if (output.json) {
    output.event({ ...status })
    return
  }
  const { unit, installed, state, enabled } = status
  output.result(installed ? `${unit}: ${state}, ${enabled}` : `${unit}: not installed`)
}

function scopeOf({ system }: ServiceFlags): Scope {
  return system ? 'system' : 'user'
}

/** Whoever ran sudo, unless somebody else is named. */
function systemUser({ runAs }: ServiceFlags, env: NodeJS.ProcessEnv): string {
  const user = runAs ?? env['SUDO_USER']
  if (user !== undefined && /^[a-z_][a-z0-9_.-]{0,31}$/i.test(user)) return user
  const reason = 'A system service needs a user to run as: --run-as NAME.'
  throw new SluiceError('SLUICE_USAGE', { reason, command: 'service' })
}

/**
 * The service starts without the environment of this shell: what stands in `SLUICE_AUTHTOKEN` now is not there then, and
 * the unit is no place for it, since everybody may read units.
 */
async function assertCredential(project: Project, { settings }: CommandContext): Promise<void> {
  if (project.agent.authtoken !== undefined) return
  const { config } = await readSavedConfig(settings.configPath)
  if (config.servers[settings.server] === undefined) throw new SluiceError('SLUICE_NOT_LOGGED_IN')
}
