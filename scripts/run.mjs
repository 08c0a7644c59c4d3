import { handOver, install } from './install.mjs'

// `node scripts/run.mjs FILE …`: installs what is missing, then runs a TypeScript file of ours on the packaged Node.
install()
handOver(process.argv.slice(2))
