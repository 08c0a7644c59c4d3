import { readSavedConfig, writeSavedConfig } from '../config-file.ts'
import type { CommandContext } from './context.ts'

/** Forgets the authtoken of the server. It stays valid: revoking is done in the console. */
export async function runLogout({ settings, output }: CommandContext): Promise<void> {
  const { server, configPath } = settings
  const { config } = await readSavedConfig(configPath)
  const { [server]: forgotten, ...servers } = config.servers
  if (forgotten) await writeSavedConfig(configPath, { ...config, servers })

  if (output.json) output.event({ event: 'logged-out', server, wasLoggedIn: Boolean(forgotten) })
  else if (forgotten) {
    output.message(`Logged out of ${server}. To make the authtoken void, revoke it in the console.`)
  } else output.message(`There was no saved authtoken for ${server}.`)
  if (settings.authtokenFrom === 'environment') {
    output.message('SLUICE_AUTHTOKEN is still set and goes on to be used.')
  }
}
