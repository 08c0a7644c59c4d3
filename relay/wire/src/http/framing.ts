import type { HeadScanner } from './scan-head.ts'

/** How long a body is: a number of bytes, until the last chunk, until the connection closes, or not at all. */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close'

/** Why a scanned request head cannot be served, or undefined. Scanner results in, rules of RFC 9112 §3 and §6 applied. */
export function requestFault(
  scanner: HeadScanner,
  head: Buffer,
  start: number,
): string | undefined {
  if (scanner.hostIndex < 0) return 'no Host header'
  if (scanner.chunked && scanner.minorVersion === 0) return 'Transfer-Encoding in HTTP/1.0'
  if (scanner.folds) return 'a header name that reads like a reserved one'
  if (scanner.expectIndex >= 0) {
    const expectation = scanner.valueOf(head, scanner.expectIndex).toLowerCase()
    if (expectation !== '100-continue') return 'an unknown expectation'
  }
  const first = head[scanner.targetStart]
  if (first === 0x2f) return undefined
  const method = head.toString('latin1', start, scanner.methodEnd)
  if (method === 'CONNECT') return 'CONNECT is for proxies'
  if (first === 0x2a && scanner.targetEnd - scanner.targetStart === 1) {
    return method === 'OPTIONS' ? undefined : 'the target * is for OPTIONS'
  }
  return absoluteForm(scanner, head) ? undefined : 'the request target does not fit the Host header'
}

/** For `http://host/path` with the host of the Host header: where the path starts. */
export function absoluteForm(scanner: HeadScanner, head: Buffer): { path: string } | undefined {
  const target = head.toString('latin1', scanner.targetStart, scanner.targetEnd)
  const match = /^https?:\/\/([^/?]+)(\/[^]*|\?[^]*|)$/i.exec(target)
  if (!match) return undefined
  const [, authority = '', rest = ''] = match
  const host = scanner.valueOf(head, scanner.hostIndex)
  if (authority.toLowerCase() !== host.toLowerCase()) return undefined
  return { path: rest.startsWith('/') ? rest : `/${rest}` }
}

/** The body of a request whose head has no fault. */
export function requestBody(scanner: HeadScanner): BodyKind {
  if (scanner.chunked) return 'chunked'
  return scanner.contentLength > 0 ? 'length' : 'none'
}

/** The body of a response (RFC 9112 §6.3), or why it cannot be trusted. */
export function responseBody(
  scanner: HeadScanner,
  toHead: boolean,
): { kind: BodyKind; fault?: undefined } | { fault: string } {
  const { status } = scanner
  if (scanner.chunked && scanner.minorVersion === 0)
    return { fault: 'Transfer-Encoding in HTTP/1.0' }
  if (status < 200 || status === 204) {
    if (scanner.chunked) return { fault: `Transfer-Encoding in a ${status}` }
    return { kind: 'none' }
  }
  if (toHead || status === 304) return { kind: 'none' }
  if (scanner.chunked) return { kind: 'chunked' }
  if (scanner.contentLength >= 0) return { kind: scanner.contentLength === 0 ? 'none' : 'length' }
  return { kind: 'close' }
}

const hostGrammar =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62})?)*$/
const addressGrammar = /^\[[0-9a-f:.]{2,45}\]$/

/** The endpoint host that a Host value names: lower case, without port and one trailing dot. Undefined: not a host. */
export function endpointHostOf(value: string): string | undefined {
  const lower = value.toLowerCase()
  const match = /^([^:]+|\[[^\]]*\])(?::([0-9]{1,5}))?$/.exec(lower)
  if (!match) return undefined
  if (match[2] !== undefined && Number(match[2]) > 65_535) return undefined
  const host = (match[1] ?? '').replace(/\.$/, '')
  return hostGrammar.test(host) || addressGrammar.test(host) ? host : undefined
}
