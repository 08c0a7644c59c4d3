import { handOver, install } from './install.mjs'

install()
handOver(['scripts/verify.ts', ...process.argv.slice(2)])
