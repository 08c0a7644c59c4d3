import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface GuardOptions {
  readonly port: number
  /** Handed to the page in its own HTML, which no other site can read. */
  readonly token: string
}

/**
 * Whether a request comes from the page itself. Any site that a developer visits may send requests to loopback: it is
 * kept out by `Host` (DNS rebinding), by `Origin` and `Sec-Fetch-Site`, and, where something changes, by the token.
 */
export function reasonAgainst(
  { method = '', headers }: IncomingMessage,
  { port, token }: GuardOptions,
): string | null {
  const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`)
  const { host, origin } = headers
  if (host === undefined || !hosts.includes(host.toLowerCase())) return 'Host is not this page’s.'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'It was sent by another site.'
  }
  if (origin !== undefined && origin !== `http://${host.toLowerCase()}`) {
    return 'Origin is not this page’s.'
  }
  if (method === 'GET' || method === 'HEAD') return null
  if (origin === undefined) return 'Origin is missing.'
  const given = Buffer.from(String(headers['x-sluice-token'] ?? ''))
  const wanted = Buffer.from(token)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    return 'The token is not this page’s. Reload it.'
  }
  return null
}
