import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { FrameDecoder, frameFlag, frameType, writeFrameHeader } from './frame.ts'
import { ProtocolViolation } from './violation.ts'
import { MessageDecoder, messageHeadroomBytes, writeMessageHeader } from './websocket.ts'

interface Heard {
  type: number
  flags: number
  streamId: number
  payload: string
}

function frame({ type, flags, streamId, payload }: Heard): Buffer {
  const header = Buffer.alloc(8)
  writeFrameHeader(header, 0, type | flags, Buffer.byteLength(payload, 'latin1'), streamId)
  return Buffer.concat([header, Buffer.from(payload, 'latin1')])
}

/** Decodes chunks; pieces of one DATA frame are joined again. */
function decode(chunks: readonly Buffer[]): Heard[] {
  const heard: Heard[] = []
  let data = ''
  const decoder = new FrameDecoder({
    onData(streamId, piece, end) {
      data += piece.toString('latin1')
      if (end) {
        heard.push({ type: frameType.data, flags: frameFlag.end, streamId, payload: data })
        data = ''
      }
    },
    onFrame(type, flags, streamId, payload) {
      heard.push({ type, flags, streamId, payload: payload.toString('latin1') })
    },
  })
  for (const chunk of chunks) decoder.receive(chunk, 0, chunk.length)
  return heard
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const borders = cuts.map((one) => one % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [0, ...borders].map((from, index) => bytes.subarray(from, borders[index] ?? bytes.length))
}

const anyFrame: fc.Arbitrary<Heard> = fc
  .record({
    type: fc.integer({ min: 0, max: 15 }),
    flags: fc.constantFrom(0, frameFlag.end, frameFlag.more),
    streamId: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.string({ maxLength: 60, unit: 'binary-ascii' }),
  })
  .map((one) => (one.type === frameType.data ? { ...one, flags: frameFlag.end } : one))
const anyCuts = fc.array(fc.nat(), { maxLength: 10 })

test('frames come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), anyCuts, (frames, cuts) => {
      expect(decode(cut(Buffer.concat(frames.map(frame)), cuts))).toEqual(frames)
    }),
  )
})

test('a frame larger than allowed is a violation before its payload is read', () => {
  const header = Buffer.alloc(8)
  writeFrameHeader(header, 0, frameType.data, 65_537, 1)

  expect(() => decode([header])).toThrow(ProtocolViolation)
})

test.for([true, false])('messages come out whole, masked: %s', (masked) => {
  const key = [1, 2, 3, 4]
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 4 }),
      anyCuts,
      (sizes, cuts) => {
        const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 65))
        const bytes = payloads.flatMap((payload) => {
          const header = Buffer.alloc(messageHeadroomBytes)
          const start = writeMessageHeader(header, messageHeadroomBytes, payload.length, masked)
          if (!masked) return [header.subarray(start), payload]
          header.set(key, messageHeadroomBytes - 4)
          return [
            header.subarray(start),
            payload.map((byte, at) => byte ^ (key[at & 3] ?? 0)) as Buffer,
          ]
        })
        let read = ''
        const decoder = new MessageDecoder(
          {
            onBytes: (chunk, start, end) => (read += chunk.toString('latin1', start, end)),
            onPing() {},
            onClose() {},
          },
          masked,
        )
        for (const chunk of cut(Buffer.concat(bytes), cuts)) decoder.receive(Buffer.from(chunk))
        expect(read === Buffer.concat(payloads).toString('latin1')).toBe(true)
      },
    ),
    { numRuns: 40 },
  )
})

/** What reading threw, if anything. */
function thrownBy(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    return error
  }
  return undefined
}

test('any bytes are answered with frames or a violation', () => {
  const sink = { onBytes() {}, onPing() {}, onClose() {} }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, masked) => {
      const thrown = [
        thrownBy(() => decode([Buffer.from(bytes)])),
        thrownBy(() => new MessageDecoder(sink, masked).receive(Buffer.from(bytes))),
      ].filter((error) => error !== undefined)
      expect(thrown.every((error) => error instanceof ProtocolViolation)).toBe(true)
    }),
  )
})
