import { readFileSync } from 'node:fs'

import { createServer, type GatewayOptions } from '@sluice/gateway/server'
import { silentLog } from '@sluice/kit/log'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'

/** Our gateway as a process: the anonymous may send the registered documents of the benchmark. */
const { supergraph, ...settings } = JSON.parse(
  readFileSync(process.env['BENCH_SETTINGS'] ?? '', 'utf8'),
) as Pick<GatewayOptions, 'manifest' | 'subgraphs' | 'redisUrl' | 'limits'> & { supergraph: string }
const gateway = await createServer({
  ...settings,
  port: 0,
  metricsPort: 0,
  supergraphSdl: supergraph,
  identityUrl: settings.subgraphs.identity,
  internalSigningJwks: await generatePrivateJwks(),
  consoleOrigin: 'http://localhost:4000',
  documents: 'registered',
  relayKeyHashes: [],
  log: silentLog,
})
console.log(`listening on ${gateway.port}`)

process.on('message', (message: object) => {
  if ('heap' in message) {
    globalThis.gc?.()
    process.send?.({ heap: process.memoryUsage().heapUsed })
  } else void liveSubscriptions().then((live) => process.send?.({ live }))
})
process.send?.({ port: gateway.port })

async function liveSubscriptions(): Promise<number> {
  const figures = await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)
  return Number(/^sluice_gateway_subscriptions\S* (\d+)$/m.exec(await figures.text())?.[1])
}
