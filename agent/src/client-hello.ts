import { randomBytes } from 'node:crypto'

const handshakeRecord = 22
const clientHelloType = 1
const tls12 = Buffer.from([3, 3])
const aes128GcmSha256 = Buffer.from([0x13, 0x01])

/** The smallest ClientHello that names a server (RFC 8446 §4.1.2, RFC 6066 §3), with a text of our own as session id. */
export function clientHello(serverName: string, sessionId: string): Buffer {
  const name = Buffer.from(serverName, 'latin1')
  const nameList = sized(2, Buffer.concat([Buffer.from([0]), sized(2, name)]))
  const extensions = Buffer.concat([Buffer.from([0, 0]), sized(2, nameList)])
  const body = Buffer.concat([
    tls12,
    randomBytes(32),
    sized(1, Buffer.from(sessionId, 'latin1')),
    sized(2, aes128GcmSha256),
    sized(1, Buffer.from([0])),
    sized(2, extensions),
  ])
  const message = Buffer.concat([Buffer.from([clientHelloType]), sized(3, body)])
  return Buffer.concat([Buffer.from([handshakeRecord, 3, 1]), sized(2, message)])
}

/** Bytes behind their own number. */
function sized(bytesOfLength: 1 | 2 | 3, bytes: Buffer): Buffer {
  const length = Buffer.alloc(bytesOfLength)
  length.writeUIntBE(bytes.length, 0, bytesOfLength)
  return Buffer.concat([length, bytes])
}
