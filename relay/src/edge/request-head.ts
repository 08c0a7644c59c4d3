import { absoluteForm, field, openFlag, writeOpenPrefix, type HeadScanner } from '@sluice/wire'

import type { HeaderChanges } from '../policy/header-changes.ts'

export interface RequestHead {
  readonly scanner: HeadScanner
  readonly buffer: Buffer
  /** Where the request line and the byte behind the head are. */
  readonly start: number
  readonly end: number
  readonly toHead: boolean
  /** The Upgrade value to forward; '' when there is none. */
  readonly upgrade: string
  /** Authorization was for the edge, and ends here. */
  readonly authorized: boolean
  /** The body is here already: nobody has to be asked for it. */
  readonly invited?: boolean
  /** What the owner of the tunnel wants changed. */
  readonly changes?: HeaderChanges | undefined
  readonly visitorIp: string
  /** The relay's own forwarding fields and the empty line. */
  readonly forwarded: Buffer
}

const version = Buffer.from(' HTTP/1.1\r\nHost: ')
const hostName = Array.from(Buffer.from('Host'))
const chunkedLine = Buffer.from('Transfer-Encoding: chunked\r\n')
const teLine = Buffer.from('TE: trailers\r\n')
const newline = Buffer.from('\r\n')

/** Fields that a Connection header cannot remove: framing, credentials, and what policy looked at. */
const unremovable = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'cookie',
  'expect',
  'upgrade',
])

/** Lines of a constant length that may be added to any head, and what a Host that is written anew may gain. */
const ownLinesBytesMax = 128

/**
 * Writes the OPEN payload of a request and answers its length. The relay's own fields come last, so nothing removes them.
 * Undefined: with what is added, it might not fit.
 */
export function writeRequest(target: Buffer, request: RequestHead): number | undefined {
  const { scanner, buffer, start, visitorIp } = request
  const host = scanner.hostIndex
  const hostStart = scanner.valueStart[host] as number
  const hostEnd = scanner.valueEnd[host] as number
  const expects = scanner.expectIndex >= 0 && scanner.minorVersion === 1 && request.invited !== true
  const flags =
    (request.toHead ? openFlag.toHead : 0) |
    (scanner.chunked ? openFlag.chunked : 0) |
    (request.upgrade === '' ? 0 : openFlag.upgrade) |
    (expects ? openFlag.expectContinue : 0)

  const headStart = 6 + visitorIp.length
  if (headStart + request.end - start + addedBytesOf(request) > target.length) return undefined
  let at = headStart
  if (startsAsWritten(request)) {
    writeOpenPrefix(target, flags, hostStart - start, hostEnd - hostStart, visitorIp)
    at = writeFields(target, at, request, expects, start)
    return writeOwnFields(target, at, request)
  }
  if (buffer[scanner.targetStart] === 0x2f || buffer[scanner.targetStart] === 0x2a) {
    at += buffer.copy(target, at, start, scanner.targetEnd)
  } else {
    at += buffer.copy(target, at, start, scanner.targetStart)
    at += target.write(absoluteForm(scanner, buffer)?.path ?? '/', at, 'latin1')
  }
  at += version.copy(target, at)
  writeOpenPrefix(target, flags, at - headStart, hostEnd - hostStart, visitorIp)
  at += buffer.copy(target, at, hostStart, hostEnd)
  at += newline.copy(target, at)
  at = writeFields(target, at, request, expects, scanner.fieldsStart)
  return writeOwnFields(target, at, request)
}

/** The most that a head gains here. */
function addedBytesOf({ changes, forwarded }: RequestHead): number {
  return forwarded.length + ownLinesBytesMax + (changes === undefined ? 0 : changes.added.length)
}

/** Whether request line and Host stand as we would write them: then they are one run with the fields behind them. */
function startsAsWritten({ scanner, buffer }: RequestHead): boolean {
  const { targetStart, fieldsStart } = scanner
  const nameEnd = fieldsStart + hostName.length
  return (
    buffer[targetStart] === 0x2f &&
    scanner.minorVersion === 1 &&
    scanner.hostIndex === 0 &&
    scanner.nameEnd[0] === nameEnd &&
    scanner.valueStart[0] === nameEnd + 2 &&
    buffer[nameEnd + 1] === 0x20 &&
    buffer[scanner.valueEnd[0] as number] === 0x0d &&
    hostName.every((byte, index) => buffer[fieldsStart + index] === byte)
  )
}

function writeOwnFields(target: Buffer, from: number, request: RequestHead): number {
  const { scanner } = request
  let at = from
  if (scanner.chunked) at += chunkedLine.copy(target, at)
  if (scanner.teTrailers) at += teLine.copy(target, at)
  if (request.upgrade !== '') {
    at += target.write(`Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`, at, 'latin1')
  }
  if (request.changes) at += request.changes.added.copy(target, at)
  return at + request.forwarded.copy(target, at)
}

/** Copies the fields that pass, neighbours in one go, and with the first what stands before it from `firstRunStart`. */
function writeFields(
  target: Buffer,
  from: number,
  request: RequestHead,
  expects: boolean,
  firstRunStart: number,
): number {
  const { scanner, buffer } = request
  const { nameStart, kind, count } = scanner
  const fieldsEnd = request.end - 2
  const removed = request.changes?.removed
  let at = from
  let runStart = firstRunStart
  const first = firstRunStart < scanner.fieldsStart ? 1 : 0
  for (let index = first; index < count; index += 1) {
    const taken = removed !== undefined && removed.has(scanner.nameOf(buffer, index).toLowerCase())
    if (!taken && passes(request, index, kind[index] as number, expects)) continue
    const lineStart = nameStart[index] as number
    if (lineStart > runStart) at += buffer.copy(target, at, runStart, lineStart)
    runStart = index + 1 < count ? (nameStart[index + 1] as number) : fieldsEnd
  }
  if (fieldsEnd > runStart) at += buffer.copy(target, at, runStart, fieldsEnd)
  return at
}

function passes(request: RequestHead, index: number, kind: number, expects: boolean): boolean {
  const { scanner, buffer } = request
  if (scanner.connectionNames.length > 0 && isNamedByConnection(scanner, buffer, index))
    return false
  switch (kind) {
    case field.host:
    case field.connection:
    case field.transferEncoding:
    case field.upgrade:
    case field.hopByHop:
    case field.te:
    case field.reserved:
    case field.folded:
      return false
    case field.expect:
      return expects
    case field.authorization:
      return !request.authorized
    default:
      return true
  }
}

export function isNamedByConnection(scanner: HeadScanner, buffer: Buffer, index: number): boolean {
  const name = scanner.nameOf(buffer, index).toLowerCase()
  return !unremovable.has(name) && scanner.connectionNames.includes(name)
}

/** The Upgrade value to pass on. Never HTTP/2: an h2c upgrade would be a tunnel past the policy. */
export function upgradeOf(scanner: HeadScanner, buffer: Buffer): string {
  if (!scanner.connectionUpgrade || scanner.upgradeIndex < 0 || scanner.minorVersion === 0)
    return ''
  if (scanner.chunked || scanner.contentLength > 0) return ''
  const value = scanner.valueOf(buffer, scanner.upgradeIndex)
  return /^(?!h2c|http|tls)[a-z0-9!#$%&'*+.^_`|~-]+(?:\/[0-9.]+)?$/i.test(value) ? value : ''
}

/** Whether the request is one of gRPC, by its content type. */
export function isGrpc(scanner: HeadScanner, buffer: Buffer): boolean {
  for (let index = 0; index < scanner.count; index += 1) {
    if (scanner.nameOf(buffer, index).toLowerCase() !== 'content-type') continue
    return /^application\/grpc\b/i.test(scanner.valueOf(buffer, index))
  }
  return false
}
