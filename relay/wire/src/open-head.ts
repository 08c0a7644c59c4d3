import { ProtocolViolation } from './violation.ts'

/** What OPEN says about its head, so that the agent need not scan it again. */
export const openFlag = { toHead: 1, chunked: 2, upgrade: 4, expectContinue: 8 } as const

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
  target.writeUInt16BE(hostStart, 1)
  target.writeUInt16BE(hostLength, 3)
  target[5] = visitor.length
  return openPrefixBytes + target.write(visitor, openPrefixBytes, 'latin1')
}

export function openHeadStart(payload: Buffer): number {
  const start = openPrefixBytes + (payload[5] ?? 0)
  if (payload.length <= start) throw new ProtocolViolation('an OPEN without a head')
  return start
}

export function openVisitor(payload: Buffer): string {
  return payload.toString('latin1', openPrefixBytes, openPrefixBytes + (payload[5] ?? 0))
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
