import { expect, test } from 'vitest'

import { proxyHeader } from './proxy-protocol.ts'

const visit = {
  visitor: '192.0.2.7',
  visitorPort: 56_324,
  endpoint: '198.51.100.1',
  endpointPort: 443,
  serverName: '',
}
const visit6 = { ...visit, visitor: '2001:db8::7', endpoint: '2001:db8:1::1' }

// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt §2.1
test.for([
  [visit, 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n'],
  [visit6, 'PROXY TCP6 2001:db8::7 2001:db8:1::1 56324 443\r\n'],
  [
    { ...visit, endpoint: '', endpointPort: 0, visitorPort: 0 },
    'PROXY TCP4 192.0.2.7 0.0.0.0 0 0\r\n',
  ],
  [{ ...visit6, visitor: 'fe80::1%eth0' }, 'PROXY TCP6 fe80::1 2001:db8:1::1 56324 443\r\n'],
  [{ ...visit, visitor: 'somebody' }, 'PROXY UNKNOWN\r\n'],
] as const)('version 1 of %j is one line', ([connection, line]) => {
  const header = proxyHeader(1, connection)

  expect(header.toString('latin1')).toBe(line)
  expect(header.length).toBeLessThanOrEqual(107)
})

const signature = '0d0a0d0a000d0a515549540a'

// §2.2: signature, 0x21 = version 2 and PROXY, family and protocol, length, addresses, ports, vectors
test.for([
  ['IPv4', visit, `${signature}21 11 000c c0000207 c6336401 dc04 01bb`],
  [
    'IPv6',
    visit6,
    `${signature}21 21 0024 20010db8000000000000000000000007 20010db8000100000000000000000001 dc04 01bb`,
  ],
  [
    'a mapped address in dotted form',
    { ...visit6, visitor: '64:ff9b::192.0.2.7' },
    `${signature}21 21 0024 0064ff9b0000000000000000c0000207 20010db8000100000000000000000001 dc04 01bb`,
  ],
  [
    'a server name, as PP2_TYPE_AUTHORITY',
    { ...visit, serverName: 'db.example' },
    `${signature}21 11 0019 c0000207 c6336401 dc04 01bb 02 000a 64622e6578616d706c65`,
  ],
  ['an address of neither family', { ...visit, visitor: '?' }, `${signature}21 00 0000`],
] as const)(
  'version 2 of %s is byte for byte what the specification says',
  ([, connection, hex]) => {
    expect(proxyHeader(2, connection).toString('hex')).toBe(hex.replaceAll(' ', ''))
  },
)
