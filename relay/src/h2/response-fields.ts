import type { OutgoingHttpHeaders } from 'node:http2'

import { field, type HeadScanner } from '@sluice/wire'

/** Fields that end at a connection of HTTP/1.1 and must not stand in HTTP/2 (RFC 9113 §8.2.2). */
const connectionFields: ReadonlySet<number> = new Set([
  field.connection,
  field.transferEncoding,
  field.upgrade,
  field.hopByHop,
  field.te,
])

/** The head that was scanned, as node:http2 takes it: in order, names in lower case, duplicates kept. */
export function responseFields(scanner: HeadScanner, buffer: Buffer, status: number): string[] {
  const fields = [':status', String(status)]
  for (let index = 0; index < scanner.count; index += 1) {
    if (connectionFields.has(scanner.kind[index] as number)) continue
    fields.push(scanner.nameOf(buffer, index).toLowerCase(), scanner.valueOf(buffer, index))
  }
  return fields
}

/** The same for interim responses and trailers, which node:http2 takes as an object only. */
export function fieldsAsObject(
  scanner: HeadScanner,
  buffer: Buffer,
): Record<string, string[]> & OutgoingHttpHeaders {
  const fields: Record<string, string[]> = Object.create(null)
  for (let index = 0; index < scanner.count; index += 1) {
    if (connectionFields.has(scanner.kind[index] as number)) continue
    const name = scanner.nameOf(buffer, index).toLowerCase()
    const values = (fields[name] ??= [])
    values.push(scanner.valueOf(buffer, index))
  }
  return fields
}
