import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import manifest from '../package.json' with { type: 'json' }
import { config } from './config.ts'
import { createRelay } from './server.ts'

const { logLevel, ...options } = config(process.env)
const log = createLog('relay', logLevel)
const relay = await createRelay({ ...options, version: manifest.version, log })
closeOnSignal(relay, log, options.drainMs + 5_000)
process.on('SIGHUP', () => void relay.reload())
log.info(
  { httpPort: relay.httpPort, httpsPort: relay.httpsPort, adminPort: relay.adminPort },
  'ready',
)
