import { isIPv4, isIPv6 } from 'node:net'

/** What the upstream is told of a connection: its two ends as the relay saw them. */
export interface ProxiedConnection {
  readonly visitor: string
  /** 0 when not known, as for requests over HTTP. */
  readonly visitorPort: number
  /** Empty when not known. */
  readonly endpoint: string
  readonly endpointPort: number
  readonly serverName: string
}

export type ProxyProtocolVersion = 1 | 2

/** The header of the PROXY protocol (haproxy.org, proxy-protocol.txt, 2020/03/05), which goes before all other bytes. */
export function proxyHeader(version: ProxyProtocolVersion, connection: ProxiedConnection): Buffer {
  return version === 1 ? versionOne(connection) : versionTwo(connection)
}

/** §2.1: one line of ASCII, at most 107 bytes. */
function versionOne(connection: ProxiedConnection): Buffer {
  const ends = endsOf(connection)
  if (!ends) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1')
  const { family, visitor, endpoint } = ends
  const { visitorPort, endpointPort } = connection
  return Buffer.from(
    `PROXY TCP${family} ${visitor} ${endpoint} ${visitorPort} ${endpointPort}\r\n`,
    'latin1',
  )
}

/** §2.2: `\r\n\r\n\0\r\nQUIT\n`. */
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
/** Version 2 in the high half, the command PROXY in the low one. */
const versionAndCommand = 0x21
const unspecified = 0x00
const tcpOverIpv4 = 0x11
const tcpOverIpv6 = 0x21
/** §2.2.2: the host name that the visitor asked for. */
const typeAuthority = 0x02

/** §2.2: binary, with the server name as PP2_TYPE_AUTHORITY when there is one. */
function versionTwo(connection: ProxiedConnection): Buffer {
  const ends = endsOf(connection)
  const addresses = ends ? addressesOf(ends, connection) : Buffer.alloc(0)
  const authority = connection.serverName === '' ? Buffer.alloc(0) : vectorOf(connection.serverName)
  const head = Buffer.alloc(4)
  head[0] = versionAndCommand
  head[1] = ends ? (ends.family === 4 ? tcpOverIpv4 : tcpOverIpv6) : unspecified
  head.writeUInt16BE(addresses.length + authority.length, 2)
  return Buffer.concat([signature, head, addresses, authority])
}

interface Ends {
  readonly family: 4 | 6
  readonly visitor: string
  readonly endpoint: string
}

/** Both ends in one family, as the header demands. An end that is not known is the unspecified address. */
function endsOf({ visitor, endpoint }: ProxiedConnection): Ends | undefined {
  if (isIPv4(visitor)) {
    return { family: 4, visitor, endpoint: isIPv4(endpoint) ? endpoint : '0.0.0.0' }
  }
  // A zone is of this machine alone.
  const address = visitor.split('%')[0] ?? ''
  if (!isIPv6(address)) return undefined
  const far = endpoint.split('%')[0] ?? ''
  return { family: 6, visitor: address, endpoint: isIPv6(far) ? far : '::' }
}

function addressesOf({ family, visitor, endpoint }: Ends, connection: ProxiedConnection): Buffer {
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(connection.visitorPort, 0)
  ports.writeUInt16BE(connection.endpointPort, 2)
  const bytesOf = family === 4 ? ipv4Bytes : ipv6Bytes
  return Buffer.concat([bytesOf(visitor), bytesOf(endpoint), ports])
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

function ipv6Bytes(address: string): Buffer {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  const plain = dotted ? `${dotted[1]}${hexGroupsOf(dotted[2] ?? '')}` : address
  const [before = '', after] = plain.split('::')
  const left = before === '' ? [] : before.split(':')
  const right = after === undefined || after === '' ? [] : after.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2)
  }
  return bytes
}

function hexGroupsOf(ipv4: string): string {
  const bytes = ipv4Bytes(ipv4)
  return `${bytes.readUInt16BE(0).toString(16)}:${bytes.readUInt16BE(2).toString(16)}`
}

/** Type, length, value. */
function vectorOf(serverName: string): Buffer {
  const value = Buffer.from(serverName, 'utf8')
  const head = Buffer.from([typeAuthority, value.length >>> 8, value.length & 0xff])
  return Buffer.concat([head, value])
}
