import { readFileSync } from 'node:fs'

import { openAgentSession } from './agent-session.ts'

// One session with a given agent token and no control plane: for benchmarks, and to look at the data plane alone.
const { EDGE_URL = '', AGENT_TOKEN = '', UPSTREAM_PORT = '', EDGE_CA_PATH, RAW } = process.env
const session = openAgentSession({
  edges: EDGE_URL.split(',').map((url) => ({ url, region: '' })),
  agentToken: () => Promise.resolve(AGENT_TOKEN),
  upstream: { host: '127.0.0.1', port: Number(UPSTREAM_PORT), tls: false },
  hostHeader: 'preserve',
  ...(RAW ? { raw: {} } : {}),
  agentVersion: 'bare',
  ...(EDGE_CA_PATH ? { ca: readFileSync(EDGE_CA_PATH, 'utf8') } : {}),
})
session.on('online', () => process.stdout.write('online\n'))
session.on('offline', ({ reason }) => process.stdout.write(`offline: ${reason}\n`))
session.on('fatal', (error) => {
  process.stdout.write(`fatal: ${error.message}\n`)
  process.exitCode = 1
})
// As the command line does, so that figures include what it costs.
let requests = 0
session.on('request', () => {
  requests += 1
})
process.on('SIGTERM', () => {
  void session.close({ graceMs: 0 }).then(() => {
    process.stdout.write(`${requests} requests\n`)
    process.exit(0)
  })
})
