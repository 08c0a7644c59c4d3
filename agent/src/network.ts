import { isIP } from 'node:net'

export interface Network {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  readonly bits: number
}

/** Reads an address or a CIDR block; undefined when it is neither. */
export function findNetwork(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  const bitsMax = family === 4 ? 32 : 128
  const isBits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax)
  if (family === 0 || !isBits || rest.length > 0) return undefined
  return {
    address,
    family: family === 4 ? 'ipv4' : 'ipv6',
    bits: bits === undefined ? bitsMax : Number(bits),
  }
}
