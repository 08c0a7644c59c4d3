/** A ClientHello of post-quantum size is under 2 KB; OpenSSL itself takes no more than this. */
export const helloBytesMax = 16_384
/** A hello may come in several records, but not in any number of them. */
export const helloRecordsMax = 64
const recordHeaderBytes = 5
const recordBytesMax = 16_384
const messageHeaderBytes = 4
const serverNameBytesMax = 253

const handshakeRecord = 22
const clientHelloMessage = 1
const serverNameExtension = 0
const hostNameType = 0

/** What the first bytes of a connection are. Only `incomplete` may change when more of them arrive. */
export type FirstBytes =
  /** `serverName` in lower case; undefined when the visitor named none. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined }
  | { readonly kind: 'incomplete' }
  /** Somebody speaks HTTP without TLS. */
  | { readonly kind: 'http' }
  | { readonly kind: 'malformed'; readonly reason: string }

const incomplete: FirstBytes = { kind: 'incomplete' }
const malformed = (reason: string): FirstBytes => ({ kind: 'malformed', reason })

/**
 * Reads a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3) from the first bytes of a connection without taking part in the
 * handshake. Strict: what two readers could take differently is malformed.
 */
export function readFirstBytes(bytes: Buffer): FirstBytes {
  const [first] = bytes
  if (first === undefined) return incomplete
  if (first !== handshakeRecord) {
    return isUpperCase(first) ? { kind: 'http' } : malformed('it is not TLS')
  }
  const pieces: Buffer[] = []
  let gathered = 0
  let needed = messageHeaderBytes
  for (let at = 0, records = 1; ; records += 1) {
    if (records > helloRecordsMax) return malformed('it comes in too many records')
    const fault = recordFault(bytes, at)
    if (fault !== undefined) return malformed(fault)
    if (bytes.length < at + recordHeaderBytes) return incomplete
    const start = at + recordHeaderBytes
    at = start + bytes.readUInt16BE(at + 3)
    const piece = bytes.subarray(start, at)
    pieces.push(piece)
    gathered += piece.length
    const message = gathered < messageHeaderBytes ? undefined : headerOf(pieces)
    if (message !== undefined) {
      if (message[0] !== clientHelloMessage) return malformed('it is not a ClientHello')
      const length = message.readUIntBE(1, 3)
      if (length > helloBytesMax) return malformed('it is too long')
      needed = messageHeaderBytes + length
    }
    if (gathered >= needed && message !== undefined) {
      const whole = pieces.length === 1 ? piece : Buffer.concat(pieces)
      return readHello(whole.subarray(messageHeaderBytes, needed))
    }
    if (at > bytes.length) return incomplete
  }
}

/** What is wrong with a record's header, as far as it is there. */
function recordFault(bytes: Buffer, at: number): string | undefined {
  if (bytes.length > at && bytes[at] !== handshakeRecord) return 'another record comes between'
  if (bytes.length > at + 1 && bytes[at + 1] !== 3) return 'it is not TLS'
  if (bytes.length < at + recordHeaderBytes) return undefined
  const length = bytes.readUInt16BE(at + 3)
  return length === 0 || length > recordBytesMax ? 'a record has a wrong length' : undefined
}

function headerOf(pieces: readonly Buffer[]): Buffer {
  const [only] = pieces
  if (only && only.length >= messageHeaderBytes) return only
  return Buffer.concat(pieces).subarray(0, messageHeaderBytes)
}

/** The body of the message, all of it. */
function readHello(body: Buffer): FirstBytes {
  const reader = new Reader(body)
  const version = reader.number(2)
  reader.take(32)
  const sessionId = reader.vector(1)
  const suites = reader.vector(2)
  const compressions = reader.vector(1)
  if (reader.failed) return malformed('it ends too early')
  if (version >> 8 !== 3) return malformed('it is not TLS')
  if (sessionId.length > 32) return malformed('its session id is too long')
  if (suites.length === 0 || suites.length % 2 === 1) return malformed('its cipher suites are cut')
  if (compressions.length === 0) return malformed('it has no compression methods')
  // SSL 3 had no extensions.
  if (reader.ended) return { kind: 'hello', serverName: undefined }

  const extensions = new Reader(reader.vector(2))
  if (reader.failed || !reader.ended) return malformed('its extensions have a wrong length')
  let serverName: string | undefined
  let named = false
  while (!extensions.ended) {
    const type = extensions.number(2)
    const content = extensions.vector(2)
    if (extensions.failed) return malformed('an extension has a wrong length')
    if (type !== serverNameExtension) continue
    if (named) return malformed('it names two servers')
    named = true
    serverName = serverNameOf(content)
    if (serverName === undefined) return malformed('its server name is not a host name')
  }
  return { kind: 'hello', serverName }
}

/** RFC 6066 allows one name of each type, and there is one type. An address is not a name. */
function serverNameOf(extension: Buffer): string | undefined {
  const outer = new Reader(extension)
  const list = new Reader(outer.vector(2))
  const type = list.number(1)
  const name = list.vector(2)
  if (outer.failed || list.failed || !outer.ended || !list.ended) return undefined
  if (type !== hostNameType || name.length > serverNameBytesMax) return undefined
  const text = name.toString('latin1').toLowerCase()
  return /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(text)
    ? text
    : undefined
}

/** Reads numbers and vectors; past the end it fails and answers nothing rather than throwing. */
class Reader {
  readonly #bytes: Buffer
  #at = 0
  failed = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.failed || this.#at === this.#bytes.length
  }

  take(count: number): Buffer {
    const end = this.#at + count
    if (this.failed || end > this.#bytes.length) {
      this.failed = true
      return Buffer.alloc(0)
    }
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  number(bytes: 1 | 2): number {
    const taken = this.take(bytes)
    return this.failed ? 0 : taken.readUIntBE(0, bytes)
  }

  /** A vector with its length in front. */
  vector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.number(lengthBytes))
  }
}

function isUpperCase(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a
}
