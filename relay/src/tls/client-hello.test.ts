import { randomBytes, randomInt } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'

import { expect, test } from 'vitest'

import { helloBytesMax, helloRecordsMax, readFirstBytes } from './client-hello.ts'

/** What a real TLS client sends first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const first = Promise.withResolvers<Buffer>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (chunk: Buffer) => {
      first.resolve(chunk)
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  connect({ port, host: '127.0.0.1', ...options }).on('error', () => undefined)
  const bytes = await first.promise
  server.close()
  return bytes
}

/** The same handshake message in records of so many bytes. */
function inRecordsOf(hello: Buffer, recordBytes: number): Buffer {
  const message = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += recordBytes) {
    const piece = message.subarray(at, at + recordBytes)
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece)
  }
  return Buffer.concat(records)
}

const vector = (lengthBytes: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(content.length, 0, lengthBytes)
  return Buffer.concat([length, content])
}

const extension = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, content)])

const nameExtension = (...names: (string | Buffer)[]): Buffer =>
  extension(
    0,
    vector(
      2,
      ...names.map((name) => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))])),
    ),
  )

interface HelloParts {
  readonly type?: number
  readonly version?: number
  readonly sessionId?: Buffer
  readonly suites?: Buffer
  readonly compressions?: Buffer
  readonly extensions?: Buffer
}

function buildHello(parts: HelloParts): Buffer {
  const body = Buffer.concat([
    Buffer.from([parts.version ?? 3, 3]),
    randomBytes(32),
    vector(1, parts.sessionId ?? Buffer.alloc(32)),
    vector(2, parts.suites ?? Buffer.from([0x13, 0x01])),
    vector(1, parts.compressions ?? Buffer.from([0])),
    parts.extensions ?? Buffer.alloc(0),
  ])
  const message = Buffer.concat([Buffer.from([parts.type ?? 1]), vector(3, body)])
  return inRecordsOf(Buffer.concat([Buffer.alloc(5), message]), 16_384)
}

const named = (...names: (string | Buffer)[]): Buffer =>
  buildHello({ extensions: vector(2, nameExtension(...names)) })

test.for(['TLSv1.2', 'TLSv1.3'] as const)(
  'the name in a real %s hello is read',
  async (version) => {
    const hello = await helloOf({
      servername: 'App.Example.TEST',
      minVersion: version,
      maxVersion: version,
      ALPNProtocols: ['h2', 'http/1.1'],
    })

    expect(readFirstBytes(hello)).toEqual({ kind: 'hello', serverName: 'app.example.test' })
  },
)

test('a hello without a name is a hello', async () => {
  expect(readFirstBytes(await helloOf({ servername: '' }))).toEqual({
    kind: 'hello',
    serverName: undefined,
  })
  expect(readFirstBytes(buildHello({}))).toEqual({ kind: 'hello', serverName: undefined })
})

test('a hello that arrives byte by byte is incomplete until its last byte', async () => {
  const hello = await helloOf({ servername: 'app.example.test' })

  for (let length = 0; length < hello.length; length += 1) {
    expect(readFirstBytes(hello.subarray(0, length))).toEqual({ kind: 'incomplete' })
  }
  const early = Buffer.concat([hello, Buffer.from('early data')])
  expect(readFirstBytes(early)).toMatchObject({ kind: 'hello', serverName: 'app.example.test' })
})

test.for([1, 2, 3, 5, 100])('a hello in records of %i bytes is the same hello', async (size) => {
  const hello = named('a.test')
  const records = inRecordsOf(hello, size)
  const fits = Math.ceil((hello.length - 5) / size) <= helloRecordsMax

  expect(readFirstBytes(records)).toEqual(
    fits
      ? { kind: 'hello', serverName: 'a.test' }
      : { kind: 'malformed', reason: 'it comes in too many records' },
  )
})

test('a hello of 16 KB is read, one byte more is refused at its header', () => {
  const padded = (bytes: number): Buffer => {
    const name = nameExtension('app.example.test')
    return buildHello({ extensions: vector(2, name, extension(21, Buffer.alloc(bytes))) })
  }
  const rest = padded(0).length - 5 - 4
  const whole = padded(helloBytesMax - rest)
  const larger = padded(helloBytesMax - rest + 1)

  expect(readFirstBytes(whole)).toEqual({ kind: 'hello', serverName: 'app.example.test' })
  expect(readFirstBytes(larger.subarray(0, 9))).toMatchObject({ reason: 'it is too long' })
})

test.for<[string, string, Buffer]>([
  ['plain HTTP', 'http', Buffer.from('GET / HTTP/1.1\r\n')],
  ['an SSH banner', 'http', Buffer.from('SSH-2.0-x')],
  ['SSL 2', 'malformed', Buffer.from([0x80, 0x2e, 1, 3, 1])],
  ['an alert', 'malformed', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
  ['a record of another protocol', 'malformed', Buffer.from([22, 9, 1])],
  ['an empty record', 'malformed', Buffer.from([22, 3, 1, 0, 0])],
  ['a record that is too long', 'malformed', Buffer.from([22, 3, 1, 0x40, 1])],
  ['another message', 'malformed', buildHello({ type: 2 })],
  ['another version', 'malformed', buildHello({ version: 4 })],
  ['a long session id', 'malformed', buildHello({ sessionId: Buffer.alloc(33) })],
  ['no cipher suites', 'malformed', buildHello({ suites: Buffer.alloc(0) })],
  ['half a cipher suite', 'malformed', buildHello({ suites: Buffer.alloc(3) })],
  ['no compression methods', 'malformed', buildHello({ compressions: Buffer.alloc(0) })],
  ['extensions cut', 'malformed', buildHello({ extensions: Buffer.from([0, 9, 1]) })],
  ['bytes behind extensions', 'malformed', buildHello({ extensions: Buffer.from([0, 0, 1]) })],
  ['two names', 'malformed', named('a.test', 'b.test')],
  ['an empty name', 'malformed', named('')],
  ['a name with a dot at its end', 'malformed', named('a.test.')],
  ['a name with a zero byte', 'malformed', named('a.test\0.b.test')],
  ['a name with a space', 'malformed', named('a .test')],
  ['a name with high bytes', 'malformed', named(Buffer.from([0x61, 0xe4]))],
  ['an IPv6 address', 'malformed', named('::1')],
  ['a name that is too long', 'malformed', named(`${'a.'.repeat(127)}a`)],
  [
    'two name extensions',
    'malformed',
    buildHello({ extensions: vector(2, nameExtension('a.test'), nameExtension('b.test')) }),
  ],
  [
    'a record of another type between',
    'malformed',
    Buffer.concat([
      inRecordsOf(named('a.test'), 40).subarray(0, 45),
      Buffer.from([23, 3, 3, 0, 1]),
    ]),
  ],
])('%s is told apart', ([, kind, bytes]) => {
  expect(readFirstBytes(bytes).kind).toBe(kind)
})

test('no bytes make it throw, and what it has decided it never takes back', () => {
  const hello = named('app.example.test')
  for (let round = 0; round < 4_000; round += 1) {
    const bytes = round % 4 === 0 ? randomBytes(randomInt(8, 200)) : Buffer.from(hello)
    for (let changes = randomInt(0, 4); changes > 0; changes -= 1) {
      bytes[randomInt(bytes.length)] = randomInt(256)
    }
    if (round % 4 === 0) bytes.set([22, 3, 1, 0, 150, 1, 0, 0], 0)
    const cut = randomInt(bytes.length)
    const early = readFirstBytes(bytes.subarray(0, cut))
    const late = readFirstBytes(bytes)

    const name = (late.kind === 'hello' ? late.serverName : undefined) ?? 'none'

    expect(early.kind === 'incomplete' ? late : early).toEqual(late)
    expect(name).toMatch(/^[a-z0-9_.-]{1,253}$/)
  }
})
