import type { Output } from '../output.ts'
import { version } from '../version.ts'

/** Says which release this is. Reads no configuration and asks no server. */
export function runVersion(output: Output): void {
  if (output.json) {
    output.event({
      version,
      node: process.versions.node,
      platform: process.platform,
      architecture: process.arch,
    })
  } else output.result(`sluice ${version}`)
}
