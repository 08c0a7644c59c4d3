import type { OutgoingHttpHeaders } from 'node:http2'

import { field } from '../http/field.ts'
import type { HeadScanner } from '../http/scan-head.ts'

/** Fields that speak of a connection of HTTP/1.1, or are said in another way (RFC 9113 §8.2.2, §8.3.1). */
const connectionFields: ReadonlySet<number> = new Set([
  field.host,
  field.connection,
  field.transferEncoding,
  field.upgrade,
  field.hopByHop,
  field.te,
])

/** The request that was scanned, as node:http2 takes it. */
export function requestHeaders(
  scanner: HeadScanner,
  head: Buffer,
  start: number,
  scheme: string,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.create(null)
  headers[':method'] = head.toString('latin1', start, scanner.methodEnd)
  headers[':scheme'] = scheme
  headers[':authority'] = scanner.valueOf(head, scanner.hostIndex)
  headers[':path'] = head.toString('latin1', scanner.targetStart, scanner.targetEnd)
  Object.assign(headers, fieldsOf(scanner, head))
  if (scanner.teTrailers) headers['te'] = 'trailers'
  return headers
}

/** The request as an extended CONNECT (RFC 8441), which has no need of a key. */
export function webSocketHeaders(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { 'sec-websocket-key': _key, ...rest } = headers
  return { ...rest, ':method': 'CONNECT', ':protocol': 'websocket' }
}

/** Fields of a head or trailer section, names in lower case, duplicates kept. */
export function fieldsOf(scanner: HeadScanner, head: Buffer): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (let index = 0; index < scanner.count; index += 1) {
    if (connectionFields.has(scanner.kind[index] as number)) continue
    const name = scanner.nameOf(head, index).toLowerCase()
    const value = scanner.valueOf(head, index)
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else if (typeof before === 'string') fields[name] = [before, value]
    else before.push(value)
  }
  return fields
}
