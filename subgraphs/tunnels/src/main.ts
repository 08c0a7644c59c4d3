import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import { config } from './config.ts'
import { createServer } from './server.ts'

const log = createLog('tunnels')
const server = await createServer({ ...config(process.env), log })
log.info({ port: server.port }, 'ready')
closeOnSignal(server, log)
