import { STATUS_CODES } from 'node:http'

import { field, fieldOf } from '../http/field.ts'

/** Would end a line of HTTP/1.1. node:http2 lets none of them through; this is where it would matter. */
const lineEnd = /[\r\n\0]/

export interface ResponseText {
  readonly head: Buffer
  /** The body is to be sent in chunks: nobody said how long it is. */
  readonly chunked: boolean
}

/** A response of HTTP/2 in HTTP/1.1. `ended`: its head is all there is. Undefined: it cannot be said. */
export function responseText(
  status: number,
  rawHeaders: readonly string[],
  ended: boolean,
  toHead: boolean,
): ResponseText | undefined {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  let hasLength = false
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    if (lineEnd.test(name) || lineEnd.test(value)) return undefined
    if (name.startsWith(':')) continue
    if (name === 'content-length') hasLength = true
    text += `${name}: ${value}\r\n`
  }
  const bodiless = toHead || status < 200 || status === 204 || status === 304
  const chunked = !bodiless && !hasLength && !ended
  // Without it a gRPC response that is all trailers would lose that mark of it.
  if (!bodiless && !hasLength && ended) text += 'content-length: 0\r\n'
  if (chunked) text += 'transfer-encoding: chunked\r\n'
  return { head: Buffer.from(`${text}\r\n`, 'latin1'), chunked }
}

/** A trailer section in HTTP/1.1, without what may not stand in one. */
export function trailersText(rawHeaders: readonly string[]): string {
  let text = ''
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    const bytes = Buffer.from(name, 'latin1')
    const passes = fieldOf(bytes, 0, bytes.length, name.includes('_')) === field.plain
    if (passes && !lineEnd.test(name) && !lineEnd.test(value)) text += `${name}: ${value}\r\n`
  }
  return text
}
