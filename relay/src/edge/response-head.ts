import { field, type BodyKind, type HeadScanner } from '@sluice/wire'

import type { HeaderChanges } from '../policy/header-changes.ts'
import { visitCookie } from '../policy/interstitial.ts'
import { isNamedByConnection } from './request-head.ts'

export interface ResponseHead {
  readonly scanner: HeadScanner
  readonly buffer: Buffer
  readonly end: number
  readonly kind: BodyKind
  /** The body goes to the visitor in chunks. */
  readonly chunked: boolean
  readonly connection: 'close' | 'keep-alive' | 'upgrade' | ''
  /** Cookies for this domain would reach every tunnel. */
  readonly apex: string
  /** What the owner of the tunnel wants changed. */
  readonly changes?: HeaderChanges | undefined
  /** Another relay has written it: what it says in the relays' name is true. */
  readonly fromPeer?: boolean
}

const version = Buffer.from('HTTP/1.1')
const chunkedLine = Buffer.from('Transfer-Encoding: chunked\r\n')
const closeLine = Buffer.from('Connection: close\r\n')
const keepAliveLine = Buffer.from('Connection: keep-alive\r\n')
const upgradeLine = Buffer.from('Connection: Upgrade\r\n')
const newline = Buffer.from('\r\n')

/** Bytes that a response head may gain here. */
export const responseHeadRoomBytes = 128

/** Writes the head that the visitor gets and answers the offset behind it. */
export function writeResponse(target: Buffer, from: number, response: ResponseHead): number {
  const { scanner, buffer } = response
  let at = from
  const { nameStart, kind, count } = scanner
  // A status line as we would write it goes with the fields behind it.
  const plain = scanner.minorVersion === 1 && scanner.reasonEnd > version.length + 4
  if (!plain) {
    at += version.copy(target, at)
    at += buffer.copy(target, at, version.length, scanner.reasonEnd)
    if (scanner.reasonEnd === version.length + 4) target[at++] = 0x20
    at += newline.copy(target, at)
  }
  const fieldsEnd = response.end - 2
  const removed = response.changes?.removed
  let runStart = plain ? 0 : scanner.fieldsStart
  for (let index = 0; index < count; index += 1) {
    const taken = removed !== undefined && removed.has(scanner.nameOf(buffer, index).toLowerCase())
    if (!taken && passes(response, index, kind[index] as number)) continue
    const lineStart = nameStart[index] as number
    if (lineStart > runStart) at += buffer.copy(target, at, runStart, lineStart)
    runStart = index + 1 < count ? (nameStart[index + 1] as number) : fieldsEnd
  }
  if (fieldsEnd > runStart) at += buffer.copy(target, at, runStart, fieldsEnd)
  if (response.changes) at += response.changes.added.copy(target, at)
  if (response.chunked) at += chunkedLine.copy(target, at)
  if (response.connection === 'close') at += closeLine.copy(target, at)
  else if (response.connection === 'keep-alive') at += keepAliveLine.copy(target, at)
  else if (response.connection === 'upgrade') at += upgradeLine.copy(target, at)
  target[at] = 0x0d
  target[at + 1] = 0x0a
  return at + 2
}

function passes(response: ResponseHead, index: number, kind: number): boolean {
  const { scanner, buffer } = response
  if (scanner.connectionNames.length > 0 && isNamedByConnection(scanner, buffer, index))
    return false
  switch (kind) {
    case field.connection:
    case field.transferEncoding:
    case field.hopByHop:
      return false
    case field.upgrade:
      return response.connection === 'upgrade'
    case field.contentLength:
      return scanner.status >= 200 && scanner.status !== 204
    case field.reserved:
    case field.folded:
      // No upstream can speak in the relay's name.
      return response.fromPeer === true || !/^sluice[-_]/i.test(scanner.nameOf(buffer, index))
    case field.setCookie:
      return !setsForeignCookie(scanner.valueOf(buffer, index), response.apex)
    default:
      return true
  }
}

/** One for the apex would reach every tunnel; one with our name would confirm a visit in the visitor's place. */
function setsForeignCookie(value: string, apex: string): boolean {
  const [pair = '', ...attributes] = value.split(';')
  const [name = '', ...rest] = pair.split('=').map((part) => part.trim())
  // Browsers send a cookie without a name as its value alone, which then reads as another cookie.
  if (name === visitCookie || ((name === '' || rest.length === 0) && pair.includes(visitCookie))) {
    return true
  }
  // Browsers go by the last: all of them have to be harmless.
  return attributes.some((attribute) => {
    const domain = /^\s*domain\s*=\s*"?\.?([^"\s]*)/i.exec(attribute)?.[1]?.toLowerCase()
    return domain !== undefined && (domain === apex || apex.endsWith(`.${domain}`))
  })
}
