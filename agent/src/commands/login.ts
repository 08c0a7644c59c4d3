import { SluiceError } from '@sluice/schema/errors'

import { createApi } from '../api.ts'
import { warnOfEnd } from '../authtoken-end.ts'
import { readSavedConfig, writeSavedConfig } from '../config-file.ts'
import { isLoopback } from '../localhost.ts'
import { readLine, readSecret } from '../prompt.ts'
import { findViewer, viewerText } from '../viewer.ts'
import type { CommandContext } from './context.ts'

/** Prefix of an authtoken, and its letters. The checksum at its end is the server's business. */
const authtokenForm = /^slt_[0-9A-Za-z]{20,100}$/

/** Checks an authtoken against the server and remembers it. */
export async function runLogin(context: CommandContext): Promise<void> {
  const { settings, output, io } = context
  const { server, ca, proxyOf, configPath } = settings
  if (server.startsWith('http:') && !isLoopback(new URL(server).hostname)) {
    output.warning(`${server} is not encrypted: others on the way can read the authtoken.`)
  }
  const authtoken = await askAuthtoken(context)
  if (!authtokenForm.test(authtoken)) throw new SluiceError('SLUICE_AUTHTOKEN_INVALID')

  const api = createApi({ server, authtoken, ca, proxyOf, signal: io.signal })
  const viewer = await findViewer(api)
  const { config } = await readSavedConfig(configPath)
  await writeSavedConfig(configPath, {
    ...config,
    server,
    servers: { ...config.servers, [server]: { authtoken } },
  })

  if (output.json) {
    const { user, organization } = viewer
    output.event({ event: 'logged-in', server, user, organization, configPath })
    return
  }
  output.message(`Logged in to ${server} as ${viewerText(viewer)}. Saved in ${configPath}`)
  await warnOfEnd(api, output, { server })
  output.message('Next: sluice http 3000')
}

/** From the environment, else from stdin when something is piped in, else from a prompt without echo. */
async function askAuthtoken({ settings, output, io }: CommandContext): Promise<string> {
  const fromEnvironment = io.env['SLUICE_AUTHTOKEN']?.trim()
  if (fromEnvironment) {
    output.message('Using the authtoken in SLUICE_AUTHTOKEN.')
    return fromEnvironment
  }
  if (!io.stdin.isTTY) {
    const piped = (await readLine(io.stdin, io.signal)).trim()
    if (piped === '') throw new SluiceError('SLUICE_NOT_LOGGED_IN')
    return piped
  }
  output.message(`Create an authtoken in the console: ${settings.server}/authtokens`)
  return (await readSecret('Authtoken (not shown): ', io)).trim()
}
