import { ProtocolViolation } from './violation.ts'

/** What OPEN says about its head, so that the agent need not scan it again. */
export const openFlag = { toHead: 1, chunked: 2, upgrade: 4, expectContinue: 8, raw: 16 } as const

export const openPrefixBytes = 6

/** Writes the prefix of an OPEN payload and returns where the head starts. */
export function writeOpenPrefix(
  target: Buffer,
  flags: number,
  hostStart: number,
  hostLength: number,
  visitor: string,
): number {
  target[0] = flags
  target[1] = hostStart >>> 8
  target[2] = hostStart
  target[3] = hostLength >>> 8
  target[4] = hostLength
  target[5] = visitor.length
  // An address is too short to be worth a call into Node.
  for (let index = 0; index < visitor.length; index += 1) {
    target[openPrefixBytes + index] = visitor.charCodeAt(index)
  }
  return openPrefixBytes + visitor.length
}

/** The connection that a raw OPEN is about. */
export interface RawOpening {
  readonly visitor: string
  readonly visitorPort: number
  /** The relay's side of the visitor's connection. */
  readonly endpoint: string
  readonly endpointPort: number
  /** Of a TLS ClientHello; empty for plain TCP. */
  readonly serverName: string
}

/** The payload of an OPEN without a head. */
export function encodeRawOpening(opening: RawOpening): Buffer {
  const { visitor, endpoint, serverName } = opening
  const prefix = Buffer.alloc(openPrefixBytes)
  prefix[0] = openFlag.raw
  prefix.writeUInt16BE(opening.visitorPort, 1)
  prefix.writeUInt16BE(opening.endpointPort, 3)
  prefix[5] = visitor.length
  const rest = `${visitor}${String.fromCharCode(endpoint.length)}${endpoint}${serverName}`
  return Buffer.concat([prefix, Buffer.from(rest, 'latin1')])
}

/** Undefined when the OPEN has a head. */
export function parseRawOpening(payload: Buffer): RawOpening | undefined {
  if (((payload[0] ?? 0) & openFlag.raw) === 0) return undefined
  const visitorEnd = openPrefixBytes + (payload[5] ?? 0)
  const endpointEnd = visitorEnd + 1 + (payload[visitorEnd] ?? 0)
  if (payload.length < endpointEnd) throw new ProtocolViolation('a raw OPEN that is too short')
  return {
    visitor: openVisitor(payload),
    visitorPort: payload.readUInt16BE(1),
    endpoint: payload.toString('latin1', visitorEnd + 1, endpointEnd),
    endpointPort: payload.readUInt16BE(3),
    serverName: payload.toString('latin1', endpointEnd),
  }
}

export function openHeadStart(payload: Buffer): number {
  const start = openPrefixBytes + (payload[5] ?? 0)
  if (payload.length <= start) throw new ProtocolViolation('an OPEN without a head')
  return start
}

export function openVisitor(payload: Buffer): string {
  return payload.toString('latin1', openPrefixBytes, openPrefixBytes + (payload[5] ?? 0))
}

/** Whether the visitor is this one: connections to an upstream often serve one visitor's requests in a row. */
export function isVisitor(payload: Buffer, visitor: string): boolean {
  if (payload[openPrefixBytes - 1] !== visitor.length) return false
  for (let index = 0; index < visitor.length; index += 1) {
    if (payload[openPrefixBytes + index] !== visitor.charCodeAt(index)) return false
  }
  return true
}

/** The head with another Host value. */
export function withHost(payload: Buffer, headStart: number, host: string): Buffer {
  const hostStart = headStart + payload.readUInt16BE(1)
  const hostEnd = hostStart + payload.readUInt16BE(3)
  return Buffer.concat([
    payload.subarray(headStart, hostStart),
    Buffer.from(host, 'latin1'),
    payload.subarray(hostEnd),
  ])
}
