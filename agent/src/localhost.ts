import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'

const loopbackAddress = '127.0.0.1'

/** Whether a name is `localhost` or below it: loopback by RFC 6761, whatever the resolver says. */
function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

/** Whether traffic to this host never leaves the machine. */
export function isLoopback(host: string): boolean {
  return isLocalhost(host) || host === '[::1]' || host === '::1' || host.startsWith('127.')
}

type LookupDone = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void

/** A `lookup` for sockets that knows names below `localhost`, which Node and most resolvers do not. */
export function lookup(host: string, options: LookupOptions, done: LookupDone): void {
  if (!host.endsWith('.localhost')) {
    systemLookup(host, options, done)
    return
  }
  if (options.all === true) done(null, [{ address: loopbackAddress, family: 4 }])
  else done(null, loopbackAddress, 4)
}
