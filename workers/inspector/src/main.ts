import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import { config } from './config.ts'
import { createServer } from './server.ts'

const log = createLog('inspector-worker')
const server = await createServer({ ...config(process.env), log, processFigures: true })
log.info({ port: server.port }, 'ready')
closeOnSignal(server, log)
