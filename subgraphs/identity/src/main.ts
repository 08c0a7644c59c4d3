import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import { config } from './config.ts'
import { createServer } from './server.ts'

const { logLevel, ...options } = config(process.env)
const log = createLog('identity', logLevel)
const server = await createServer({ ...options, log })
closeOnSignal(server, log)
log.info({ port: server.port }, 'ready')

if (server.firstAdmin) {
  // Not through the log, which is kept: this is the only time anybody sees the password.
  const { email, password } = server.firstAdmin
  process.stdout.write(`First admin: ${email}\nPassword:    ${password}\n`)
}
