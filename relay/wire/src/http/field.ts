/** What a header field means to a hop. `plain` is everything that just passes. */
export const field = {
  plain: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  /** Ends at this hop: Keep-Alive, Proxy-Connection, Proxy-Authorization, … */
  hopByHop: 7,
  te: 8,
  trailer: 9,
  /** Only the relay sets it: forwarding headers and `sluice-…`. */
  reserved: 10,
  authorization: 11,
  accept: 12,
  setCookie: 13,
  /** Must not stand in a trailer section, but passes in a head. */
  headOnly: 14,
  /** Its underscores read as hyphens make it a reserved, framing or credential header: many upstreams read them so. */
  folded: 15,
} as const

const names: Readonly<Record<string, number>> = {
  host: field.host,
  connection: field.connection,
  'content-length': field.contentLength,
  'transfer-encoding': field.transferEncoding,
  expect: field.expect,
  upgrade: field.upgrade,
  'keep-alive': field.hopByHop,
  'proxy-connection': field.hopByHop,
  'proxy-authorization': field.hopByHop,
  'proxy-authenticate': field.hopByHop,
  'http2-settings': field.hopByHop,
  te: field.te,
  trailer: field.trailer,
  forwarded: field.reserved,
  'x-real-ip': field.reserved,
  'x-client-ip': field.reserved,
  'x-cluster-client-ip': field.reserved,
  'x-original-host': field.reserved,
  'x-original-forwarded-for': field.reserved,
  'true-client-ip': field.reserved,
  authorization: field.authorization,
  accept: field.accept,
  'set-cookie': field.setCookie,
  cookie: field.headOnly,
  'cache-control': field.headOnly,
  'content-encoding': field.headOnly,
  'content-type': field.headOnly,
  'content-range': field.headOnly,
  location: field.headOnly,
  'max-forwards': field.headOnly,
  'www-authenticate': field.headOnly,
}

interface Known {
  readonly bytes: Buffer
  readonly kind: number
}

const knownByLength: Known[][] = Array.from({ length: 32 }, () => [])
for (const [name, kind] of Object.entries(names)) {
  knownByLength[name.length]?.push({ bytes: Buffer.from(name), kind })
}

const reservedPrefixes = ['x-forwarded-', 'sluice-'].map((prefix) => Buffer.from(prefix))

/** The meaning of a field name. `folds`: it has an underscore, which many upstreams read as a hyphen. */
export function fieldOf(buffer: Buffer, start: number, end: number, folds: boolean): number {
  if (folds) return foldedFieldOf(buffer.toString('latin1', start, end))
  const first = (buffer[start] as number) | 0x20
  const known = knownByLength[end - start]
  if (known !== undefined) {
    for (let i = 0; i < known.length; i += 1) {
      const { bytes, kind } = known[i] as Known
      if (bytes[0] === first && startsWith(buffer, start, bytes)) return kind
    }
  }
  if (first === 0x78 || first === 0x73) {
    for (const prefix of reservedPrefixes) {
      if (end - start > prefix.length && startsWith(buffer, start, prefix)) return field.reserved
    }
  }
  return field.plain
}

function foldedFieldOf(name: string): number {
  const folded = Buffer.from(name.replaceAll('_', '-'), 'latin1')
  const kind = fieldOf(folded, 0, folded.length, false)
  return kind === field.plain || kind === field.headOnly || kind === field.accept
    ? field.plain
    : field.folded
}

/** Whether a value is this word of letters, digits and hyphens, in whatever case. Values have no control characters but tabs. */
export function isWord(buffer: Buffer, start: number, end: number, lower: Buffer): boolean {
  return end - start === lower.length && startsWith(buffer, start, lower)
}

/** Compares case-insensitively with a lower-case name of letters, digits and hyphens. */
function startsWith(buffer: Buffer, start: number, lower: Buffer): boolean {
  for (let i = 0; i < lower.length; i += 1) {
    if (((buffer[start + i] as number) | 0x20) !== lower[i]) return false
  }
  return true
}
