import { isIP } from 'node:net'

import { SluiceError } from '@sluice/schema/errors'

const networksMax = 200

/** Addresses and CIDR blocks as the edge reads them. Throws SLUICE_INPUT_INVALID with the one that is wrong. */
export function parseNetworks(field: string, networks: readonly string[]): string[] {
  if (networks.length > networksMax) fail(`${field} has at most ${networksMax} networks.`)
  return networks.map((text) => parseNetwork(field, text.trim()))
}

function parseNetwork(field: string, text: string): string {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  const written = JSON.stringify(text.slice(0, 64))
  if (version === 0 || rest.length > 0) {
    fail(`${field}: ${written} is neither an IP address nor a CIDR block such as 10.0.0.0/8.`)
  }
  if (prefix === undefined) return address.toLowerCase()
  const prefixMax = version === 4 ? 32 : 128
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > prefixMax) {
    fail(`${field}: the prefix of ${written} must be a number from 0 to ${prefixMax}.`)
  }
  return `${address.toLowerCase()}/${Number(prefix)}`
}

function fail(reason: string): never {
  throw new SluiceError('SLUICE_INPUT_INVALID', { reason })
}
