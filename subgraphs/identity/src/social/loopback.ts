const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/** A provider on this machine may do without TLS: in development, and in tests. */
export function isLoopback(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && loopbackHosts.has(hostname)
}
