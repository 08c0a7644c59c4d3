import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { ChunkedDecoder } from './chunked.ts'
import { HeadScanner, malformed } from './scan-head.ts'

/** Decodes bytes handed over in the given cuts. */
function decode(bytes: Buffer, cuts: readonly number[] = []) {
  const decoder = new ChunkedDecoder(new HeadScanner())
  const body: Buffer[] = []
  const borders = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  )
  let from = 0
  let rest = 0
  for (const to of [...borders, bytes.length]) {
    if (decoder.done) break
    const after = decoder.decode(bytes, from, to, (buffer, start, end) =>
      body.push(Buffer.from(buffer.subarray(start, end))),
    )
    if (after === malformed) return { refused: decoder.reason }
    rest = bytes.length - after
    from = to
  }
  return {
    body: Buffer.concat(body).toString('latin1'),
    trailers: decoder.trailers.toString('latin1'),
    done: decoder.done,
    rest,
  }
}

test('chunks are joined the same however the bytes are cut', () => {
  const chunk = fc.string({ minLength: 1, maxLength: 40, unit: 'binary-ascii' })
  const trailers = fc.constantFrom('', 'x-a: b\r\n', 'x-a: b\r\nx-c:\r\n')
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 8 }),
      trailers,
      fc.array(fc.nat(), { maxLength: 12 }),
      (chunks, end, cuts) => {
        const coded = chunks.map((one) => `${one.length.toString(16)};ext=1\r\n${one}\r\n`).join('')
        const bytes = Buffer.from(`${coded}0\r\n${end}\r\n`, 'latin1')
        expect(decode(bytes, cuts)).toEqual({
          body: chunks.join(''),
          trailers: end,
          done: true,
          rest: 0,
        })
      },
    ),
  )
})

test('what follows the body is left alone', () => {
  expect(decode(Buffer.from('1\r\na\r\n0\r\n\r\nGET /'))).toMatchObject({ body: 'a', rest: 5 })
})

test.for([
  'g\r\n',
  '\r\n',
  ' 1\r\na\r\n',
  '1 \r\na\r\n',
  '0x1\r\na\r\n',
  '-1\r\n',
  '1\na\n',
  '1\r\nab\r\n',
  '1\r\na\n',
  '1;a\nb\r\n',
  '1;\u0000\r\n',
  '1;\r\na\r\n',
  '1; x\r\na\r\n',
  '1;x \r\na\r\n',
  '1;x=\r\na\r\n',
  '1;x="a\r\na\r\n',
  '1;x="a"b\r\na\r\n',
  '1;x=a"b"\r\na\r\n',
  'ffffffffffffffff\r\n',
  `1;${'e'.repeat(2_000)}\r\n`,
  `0\r\nx: ${'t'.repeat(20_000)}\r\n\r\n`,
  '0\r\nContent-Length: 5\r\n\r\n',
  '0\r\nHost: a\r\n\r\n',
  '0\r\nX-A: b\r\nIf-Match: a\r\n\r\n',
  '0\r\nrange: bytes=0-1\r\n\r\n',
  '0\r\nSet-Cookie: a=b\r\n\r\n',
  '0\r\nX_Forwarded_For: a\r\n\r\n',
  '0\r\nAuthorization: a\r\n\r\n',
  '0\r\n folded\r\n\r\n',
])('%j is refused', (bytes) => {
  expect(decode(Buffer.from(bytes, 'latin1'))).toHaveProperty('refused')
})

test('any bytes are answered without an exception', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (bytes, cuts) => {
        expect(decode(Buffer.from(bytes), cuts)).toBeDefined()
      },
    ),
  )
})
