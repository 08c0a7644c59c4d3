import { HeadScanner, acceptOf } from '@sluice/wire'

/** The parts of a WebSocket handshake (RFC 6455 §4.2.1). The edge has found the head well formed. */
export function readHandshake(head: Buffer): { path: string; key: string } | undefined {
  const scanner = new HeadScanner()
  if (scanner.scanRequest(head, 0, head.length) <= 0) return undefined
  const fields = new Map<string, string>()
  for (let index = 0; index < scanner.count; index += 1) {
    fields.set(scanner.nameOf(head, index).toLowerCase(), scanner.valueOf(head, index))
  }
  const key = fields.get('sec-websocket-key') ?? ''
  const fits =
    head.toString('latin1', 0, scanner.methodEnd) === 'GET' &&
    scanner.connectionUpgrade &&
    fields.get('upgrade')?.toLowerCase() === 'websocket' &&
    fields.get('sec-websocket-version') === '13' &&
    /^[a-z0-9+/]{22}==$/i.test(key)
  if (!fits) return undefined
  return {
    path: head.toString('latin1', scanner.targetStart, scanner.targetEnd).split('?')[0] ?? '',
    key,
  }
}

/** The answer that a link begins behind. */
export function handshakeAnswer(head: Buffer): Buffer {
  const accept = acceptOf(readHandshake(head)?.key ?? '')
  return Buffer.from(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
}
