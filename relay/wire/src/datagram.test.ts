import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { DatagramQueue, encodeDatagram, parseDatagram } from './datagram.ts'
import { datagramAgeMsMax, datagramBytesMax, datagramQueueBytesMax } from './limits.ts'

const bytes = fc.uint8Array({ maxLength: 2_000 }).map((one) => Buffer.from(one))
const origin = fc.record({
  visitor: fc.constantFrom('192.0.2.7', '2001:db8::7'),
  visitorPort: fc.nat(65_535),
  endpointPort: fc.nat(65_535),
})
const flow = fc.nat(0xffff_ffff)

test('a datagram comes out as it went in', () => {
  fc.assert(
    fc.property(flow, fc.option(origin, { nil: undefined }), bytes, (number, from, body) => {
      const datagram = { flow: number, origin: from, ended: false, bytes: body }

      expect(parseDatagram(encodeDatagram(datagram))).toEqual(datagram)
    }),
  )
})

test.for([
  ['nothing', Buffer.alloc(0)],
  ['half a flow', Buffer.from([0, 0, 0, 1])],
  ['a visitor that is cut short', Buffer.from([0, 0, 0, 1, 1, 0, 0, 0, 0, 20, 49])],
  ['more than UDP carries', Buffer.alloc(datagramBytesMax + 6)],
] as const)('%s is a violation, not a datagram', ([, payload]) => {
  expect(() => parseDatagram(payload)).toThrow(/datagram/i)
})

/** A link that takes what the test lets it take. */
function createLink() {
  const sent: number[] = []
  let nowMs = 1_000
  const outbox = {
    linkReady: false,
    append: (_type: number, _stream: number, payload: Buffer) => sent.push(payload[0] ?? -1),
    defer: () => undefined,
  }
  const queue = new DatagramQueue(outbox, () => nowMs)
  return { sent, outbox, queue, pass: (ms: number) => (nowMs += ms) }
}

test('while the link is full the newest datagrams wait and the oldest are dropped', () => {
  const { sent, outbox, queue } = createLink()
  for (let index = 0; index < 100; index += 1) queue.push(Buffer.alloc(1_000, index))

  queue.fill()
  expect(sent).toEqual([])
  outbox.linkReady = true
  queue.fill()

  const kept = Math.floor(datagramQueueBytesMax / 1_000)
  expect(sent).toEqual(Array.from({ length: kept }, (_one, index) => 100 - kept + index))
  expect(queue.dropped).toBe(100 - kept)
})

test('a datagram that waited too long is not sent', () => {
  const { sent, outbox, queue, pass } = createLink()
  queue.push(Buffer.alloc(1, 1))
  pass(datagramAgeMsMax + 1)
  queue.push(Buffer.alloc(1, 2))

  outbox.linkReady = true
  queue.fill()

  expect(sent).toEqual([2])
  expect(queue.dropped).toBe(1)
})
