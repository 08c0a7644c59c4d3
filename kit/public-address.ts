import ipaddr from 'ipaddr.js'

/** What is assigned to the public internet (RFC 4291 §2.4); all else is unassigned or special. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
/** Translates to the IPv4 address in its last bytes (RFC 6052): the way out of networks without IPv4. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
/** Public by its number, yet answered inside a cloud: the platform address of Azure. */
const metadataAddresses = new Set(['168.63.129.16'])

/**
 * Whether an address is one of the public internet. Everything else is not: loopback, private and link-local networks,
 * carrier-grade NAT, multicast, metadata services, ranges for documentation, and tunnels to IPv4 (6to4, Teredo).
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  if (address instanceof ipaddr.IPv4) {
    return address.range() === 'unicast' && !metadataAddresses.has(address.toString())
  }
  if (address.match(...nat64)) {
    return isPublicAddress(address.toByteArray().slice(12).join('.'))
  }
  return address.range() === 'unicast' && address.match(...globalUnicast)
}
