import { handOver, install } from './install.mjs'

const startedAt = Date.now()
install()
// Both must be set before the gateway is loaded: it probes cloud metadata and prints query plans otherwise.
handOver(
  [
    '--disable-warning=ExperimentalWarning',
    // In MB. What starting makes and drops at once would otherwise grow the young generation by 90 MB that never come back.
    '--max-semi-space-size=8',
    'docker/local/src/main.ts',
    ...process.argv.slice(2),
  ],
  {
    NODE_ENV: 'production',
    APOLLO_TELEMETRY_DISABLED: '1',
    SLUICE_STARTED_AT: String(startedAt),
  },
)
