import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import { config } from './config.ts'
import { createServer } from './server.ts'

const { logLevel, ...options } = config(process.env)
const log = createLog('billing-worker', logLevel)
const server = await createServer({ ...options, log, processFigures: true })
closeOnSignal(server, log)
log.info({ port: server.port }, 'ready')
