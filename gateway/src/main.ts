import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import { config } from './config.ts'
import { createServer } from './server.ts'

const { logLevel, options } = config(process.env)
const log = createLog('gateway', logLevel)
const gateway = await createServer({ ...options, log })
log.info({ port: gateway.port, metricsPort: gateway.metricsPort }, 'ready')
closeOnSignal(gateway, log)
// The operator has put another supergraph in place.
process.on('SIGHUP', () => gateway.reloadCommitted())
