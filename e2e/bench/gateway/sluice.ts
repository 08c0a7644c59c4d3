import { readFileSync } from 'node:fs'

import { createServer } from '@sluice/gateway/server'
import { silentLog } from '@sluice/kit/log'
import { generatePrivateJwks } from '@sluice/kit/signing-keys'

/** Our gateway as a process: the anonymous may send the registered documents of the benchmark. */
const { supergraph, manifest, subgraphs, redisUrl } = JSON.parse(
  readFileSync(process.env['BENCH_SETTINGS'] ?? '', 'utf8'),
) as {
  supergraph: string
  manifest: Record<string, { name: string; text: string }>
  subgraphs: Parameters<typeof createServer>[0]['subgraphs']
  redisUrl: string
}
const gateway = await createServer({
  port: 0,
  supergraphSdl: supergraph,
  manifest,
  subgraphs,
  identityUrl: subgraphs.identity,
  internalSigningJwks: await generatePrivateJwks(),
  redisUrl,
  consoleOrigin: 'http://localhost:4000',
  documents: 'registered',
  relayKeyHashes: [],
  log: silentLog,
})
console.log(`listening on ${gateway.port}`)
