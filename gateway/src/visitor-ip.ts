import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

/**
 * Who is calling, by address. The socket's own; behind a proxy of ours the last address in `X-Forwarded-For` that is
 * not one of them, because what stands before it is whatever the client wrote. No proxy is trusted by default.
 */
export function createVisitorIp(
  trustedProxies: readonly string[],
): (request: IncomingMessage) => string {
  const trusted = new BlockList()
  for (const one of trustedProxies) {
    const [address = '', prefix] = one.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    trusted.addSubnet(
      address,
      prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix),
      family,
    )
  }
  const isTrusted = (ip: string) => trusted.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')

  return (request) => {
    let ip = plain(request.socket.remoteAddress ?? '')
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    while (isIP(ip) && isTrusted(ip)) {
      const before = plain(forwarded.pop()?.trim() ?? '')
      if (!isIP(before)) break
      ip = before
    }
    return ip
  }
}

/** An IPv4 address that reached an IPv6 socket, without its prefix. */
function plain(ip: string): string {
  return ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice('::ffff:'.length) : ip
}
