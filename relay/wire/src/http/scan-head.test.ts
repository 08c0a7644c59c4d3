import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'

import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { endpointHostOf, requestBody, requestFault } from './framing.ts'
import { HeadScanner, incomplete, malformed } from './scan-head.ts'

/** What a parser made of one head. */
interface Understood {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [string, string])[]
  readonly length: number | undefined
  readonly chunked: boolean
}

const server = createServer({ requireHostHeader: true, maxHeaderSize: 100_000 })
let nodeSaw: IncomingMessage | undefined

beforeAll(async () => {
  server.on('request', (request, response) => {
    nodeSaw = request
    response.end()
    request.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

/** What Node's own parser makes of a head, or why it refuses. */
async function nodeOf(head: string): Promise<Understood | 'refused'> {
  nodeSaw = undefined
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  socket.write(Buffer.from(head, 'latin1'))
  await new Promise<void>((resolve) => {
    const done = (): void => resolve()
    socket.on('data', done).on('close', done)
  })
  socket.destroy()
  const request = nodeSaw as IncomingMessage | undefined
  if (!request) return 'refused'
  const fields: [string, string][] = []
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    fields.push([request.rawHeaders[index] ?? '', request.rawHeaders[index + 1] ?? ''])
  }
  const length = request.headers['content-length']
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    fields,
    length: length === undefined ? undefined : Number(length),
    chunked: request.headers['transfer-encoding']?.toLowerCase() === 'chunked',
  }
}

function oursOf(head: string): Understood | 'refused' {
  const scanner = new HeadScanner()
  const buffer = Buffer.from(head, 'latin1')
  const end = scanner.scanRequest(buffer, 0, buffer.length)
  if (end === malformed || end === incomplete || requestFault(scanner, buffer, 0)) return 'refused'
  return {
    method: buffer.toString('latin1', 0, scanner.methodEnd),
    target: buffer.toString('latin1', scanner.targetStart, scanner.targetEnd),
    fields: Array.from({ length: scanner.count }, (_, index) => [
      scanner.nameOf(buffer, index),
      scanner.valueOf(buffer, index),
    ]),
    length: scanner.contentLength < 0 ? undefined : scanner.contentLength,
    chunked: requestBody(scanner) === 'chunked',
  }
}

/** Pieces from which tricky heads are put together. Only methods that Node knows: any other token is one too, and passes here. */
const lines = [
  'Host: a',
  'Host: b',
  'host:a',
  'Host:',
  'Content-Length: 0',
  'Content-Length: 3',
  'Content-Length: +3',
  'Content-Length: 3, 3',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity',
  'Connection: close',
  'Connection: keep-alive, x-a',
  'X-A: b\tc',
  'X-A:\t b \t',
  'X-A: \u00ff',
  'X-A: b\u0000',
  'X-A: b\rc',
  'X-A : b',
  ' X-A: b',
  'X A: b',
  ': b',
  'X-A',
  '',
  '__proto__: x',
  'Expect: 100-continue',
  'Upgrade: h2c',
]
const ends = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ']
const starts = [
  'GET / HTTP/1.1',
  'POST /a?b=c HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/1.2',
  'GET / HTTP/2.0',
  'GET  / HTTP/1.1',
  'GET /  HTTP/1.1',
  'GET /a b HTTP/1.1',
  'GET http://a/x HTTP/1.1',
  'GET http://b/x HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'GET * HTTP/1.1',
  'G(T / HTTP/1.1',
  'GET /\u00e9 HTTP/1.1',
  'GET /a#b HTTP/1.1',
]
const anyHead = fc
  .tuple(
    fc.constantFrom(...starts),
    fc.array(fc.tuple(fc.constantFrom(...lines), fc.constantFrom(...ends)), { maxLength: 5 }),
    fc.constantFrom(...ends.slice(0, 6)),
  )
  .map(([start, fields, end]) => `${start}${end}${fields.map((one) => one.join('')).join('')}\r\n`)

test('what we accept, Node accepts with the same method, target, fields and framing', async () => {
  await fc.assert(
    fc.asyncProperty(anyHead, async (head) => {
      const ours = oursOf(head)
      if (ours === 'refused') return
      // An Upgrade or CONNECT leaves Node's request event; neither is generated with what triggers it.
      expect(await nodeOf(head)).toEqual(ours)
    }),
    { numRuns: 1_000 },
  )
})

test('a head is read the same however it is cut, and never past its end', () => {
  const scanner = new HeadScanner()
  const head = Buffer.from('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-A: b\r\n\r\n')

  for (let cut = 0; cut < head.length; cut += 1) {
    expect(scanner.scanRequest(head, 0, cut)).toBe(incomplete)
  }
  const more = Buffer.concat([head, Buffer.from('hello')])
  expect(scanner.scanRequest(more, 0, more.length)).toBe(head.length)
  expect(scanner.contentLength).toBe(5)
})

test('any bytes are answered without an exception', () => {
  const scanner = new HeadScanner()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const buffer = Buffer.from(bytes)
      expect(scanner.scanRequest(buffer, 0, buffer.length)).toBeLessThanOrEqual(buffer.length)
      expect(scanner.scanResponse(buffer, 0, buffer.length)).toBeLessThanOrEqual(buffer.length)
    }),
  )
})

test.for([
  ['HTTP/1.1 200 OK\r\n\r\n', 200],
  ['HTTP/1.1 204\r\n\r\n', 204],
  ['HTTP/1.0 404 \r\nA: b\r\n\r\n', 404],
  ['HTTP/1.1 200OK\r\n\r\n', undefined],
  ['HTTP/1.1 20 OK\r\n\r\n', undefined],
  ['HTTP/2.0 200 OK\r\n\r\n', undefined],
  ['HTTP/1.1 200 OK\n\n', undefined],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n', undefined],
  ['HTTP/1.1 200 O\u0000K\r\n\r\n', undefined],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \t\r\n\r\n', undefined],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\t\r\n\r\n', undefined],
  ['HTTP/1.1 200 OK\r\nContent-Length:\t1 \r\n\r\n', 200],
] as const)('the response head %j has status %s', ([head, status]) => {
  const scanner = new HeadScanner()
  const buffer = Buffer.from(head, 'latin1')

  const end = scanner.scanResponse(buffer, 0, buffer.length)

  expect(end === malformed ? undefined : scanner.status).toBe(status)
})

test('more fields than allowed are told from malformed ones', () => {
  const scanner = new HeadScanner()
  const buffer = Buffer.from(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(300)}\r\n`)

  expect(scanner.scanRequest(buffer, 0, buffer.length)).toBe(malformed)
  expect(scanner.tooMany).toBe(true)
})

test.for([
  ['App.Example.test:8080', 'app.example.test'],
  ['app.test.', 'app.test'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]:80', '[::1]'],
  ['x@a', undefined],
  ['a/b', undefined],
  ['a b', undefined],
  ['', undefined],
  ['a:99999', undefined],
  ['a..b', undefined],
  ['.a', undefined],
  ['a:', undefined],
] as const)('the Host %j names %s', ([value, endpointHost]) => {
  expect(endpointHostOf(value)).toBe(endpointHost)
})
