import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import { config } from './config.ts'
import { createServer } from './server.ts'

const { logLevel, ...options } = config(process.env)
const log = createLog('inspector-worker', logLevel)
const server = await createServer({ ...options, log, processFigures: true })
log.info({ port: server.port }, 'ready')
closeOnSignal(server, log)
