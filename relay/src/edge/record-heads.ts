import { field, type HeadScanner } from '@sluice/wire'

import type { RecordedHeads } from './observed.ts'

const pathCharactersMax = 2_048
const recordedFieldsMax = 100
const valueCharactersMax = 1_024
const redacted = '[redacted]'

const secretFields = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'proxy-authorization',
  'x-api-key',
  'x-auth-token',
  'x-csrf-token',
])
const secretParameters =
  /([?&;](?:[a-z0-9]+[_-])*(?:token|secret|password|passwd|pwd|api[_-]?key|apikey|key|signature|sig|auth|code|session|jwt)=)[^&;#]*/gi

/** What is kept of a request: metadata, with secrets taken out before they leave memory. */
export function recordRequest(
  scanner: HeadScanner,
  buffer: Buffer,
  start: number,
  endpointHost: string,
  visitorIp: string,
  http2: true | undefined,
): RecordedHeads {
  const path = buffer.toString('latin1', scanner.targetStart, scanner.targetEnd)
  return {
    startedAt: Date.now(),
    endpointHost,
    visitorIp,
    method: buffer.toString('latin1', start, scanner.methodEnd),
    path: path.replaceAll(secretParameters, `$1${redacted}`).slice(0, pathCharactersMax),
    protocol: protocolOf(scanner, buffer, http2),
    requestHeaders: fieldsOf(scanner, buffer),
    responseHeaders: [],
  }
}

export function recordResponse(record: RecordedHeads, scanner: HeadScanner, buffer: Buffer): void {
  record.responseHeaders = fieldsOf(scanner, buffer)
}

function protocolOf(
  scanner: HeadScanner,
  buffer: Buffer,
  http2: true | undefined,
): RecordedHeads['protocol'] {
  if (scanner.minorVersion === 0) return 'HTTP/1.0'
  const upgrade = scanner.upgradeIndex < 0 ? '' : scanner.valueOf(buffer, scanner.upgradeIndex)
  return scanner.connectionUpgrade && upgrade.toLowerCase() === 'websocket'
    ? 'WEBSOCKET'
    : http2
      ? 'HTTP/2'
      : 'HTTP/1.1'
}

function fieldsOf(scanner: HeadScanner, buffer: Buffer): [string, string][] {
  const fields: [string, string][] = []
  for (let index = 0; index < Math.min(scanner.count, recordedFieldsMax); index += 1) {
    // No response says `sluice-error` but ours.
    if (scanner.kind[index] === field.reserved || scanner.kind[index] === field.folded) continue
    const name = scanner.nameOf(buffer, index)
    const secret = secretFields.has(name.toLowerCase())
    const value = secret ? redacted : scanner.valueOf(buffer, index).slice(0, valueCharactersMax)
    fields.push([name, value])
  }
  return fields
}
