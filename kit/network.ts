import { isIPv4, isIPv6 } from 'node:net'

/** Whom a limit by address counts: an IPv6 customer has at least a /64. */
export function addressOf(ip: string): string {
  if (!isIPv6(ip) || ip.startsWith('::ffff:')) return ip
  return `${groupsOf(ip).slice(0, 4).join(':')}::/64`
}

/** The network around an address: /24 of IPv4, /48 of IPv6. Neighbours in it are likely the same customer, or the same attacker. */
export function networkOf(ip: string): string {
  const mapped = ip.startsWith('::ffff:') ? ip.slice('::ffff:'.length) : ip
  if (isIPv4(mapped)) return `${mapped.split('.').slice(0, 3).join('.')}.0/24`
  if (!isIPv6(ip)) return ip
  return `${groupsOf(ip).slice(0, 3).join(':')}::/48`
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(ip: string): string[] {
  const [head = '', tail = ''] = (ip.split('%')[0] ?? '').split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const zeros = ip.includes('::') ? Math.max(0, 8 - left.length - right.length) : 0
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return groups.map((group) => Number.parseInt(group, 16).toString(16))
}
