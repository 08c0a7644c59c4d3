import { closeOnSignal } from '@sluice/kit/lifecycle'
import { createLog } from '@sluice/kit/log'

import manifest from '../package.json' with { type: 'json' }
import { config } from './config.ts'
import { createRelay } from './server.ts'
import { createSupervisor } from './supervisor.ts'

const { logLevel, processes, ...options } = config(process.env)
const log = createLog('relay', logLevel)
const closeMsMax = (options.preDrainMs ?? 0) + options.drainMs + 5_000

if (processes > 1) {
  const supervisor = createSupervisor({
    file: import.meta.filename,
    processes,
    closeMsMax,
    env: process.env,
    log,
  })
  closeOnSignal(supervisor, log, closeMsMax + 5_000)
  process.on('SIGHUP', () => void supervisor.restart())
} else {
  const leave = (): void => void process.kill(process.pid, 'SIGTERM')
  const { registration } = options
  const relay = await createRelay({
    ...options,
    ...(registration ? { registration: { ...registration, onDrainOrdered: leave } } : {}),
    version: manifest.version,
    log,
  })
  closeOnSignal(relay, log, closeMsMax)
  process.on('SIGHUP', () => void relay.reload())
  log.info(
    {
      httpPort: relay.httpPort,
      httpsPort: relay.httpsPort,
      adminPort: relay.adminPort,
      peerPort: relay.peerPort,
    },
    'ready',
  )
  process.send?.('ready')
  // Without its supervisor nobody would end it.
  process.on('disconnect', leave)
}
