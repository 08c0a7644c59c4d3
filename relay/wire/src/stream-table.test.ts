import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { StreamTable } from './stream-table.ts'
import { TunnelStream, unowned, type StreamCarrier } from './stream.ts'

const carrier: StreamCarrier = {
  open: true,
  allowance: () => 0,
  frame: () => undefined,
  enqueue: () => undefined,
  drained: () => undefined,
  reset: () => undefined,
  forget: () => undefined,
}
const streamOf = (id: number): TunnelStream => new TunnelStream(id, carrier, 0, unowned)

test('whatever opens and closes, each id finds its own stream and no other', () => {
  const step = fc.record({ opens: fc.boolean(), skip: fc.nat(40), closes: fc.nat() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), fc.nat(0xffff_0000), (steps, firstId) => {
      const table = new StreamTable()
      const open = new Map<number, TunnelStream>()
      let nextId = firstId + 1
      for (const { opens, skip, closes } of steps) {
        const victim = [...open.values()][closes % Math.max(1, open.size)]
        if (opens || !victim) {
          const stream = streamOf(nextId)
          nextId += 1 + skip
          open.set(stream.id, stream)
          table.add(stream)
        } else {
          open.delete(victim.id)
          table.delete(victim)
          table.delete(victim)
        }
        expect(table.size).toBe(open.size)
      }

      for (let id = firstId; id <= nextId; id += 1) expect(table.get(id)).toBe(open.get(id))
      expect(new Set(table.all())).toEqual(new Set(open.values()))
    }),
    { numRuns: 50 },
  )
})

test('many streams that stay leave room for those that come and go', () => {
  const table = new StreamTable()
  const staying = Array.from({ length: 5_000 }, (_, index) => streamOf(index * 3 + 1))
  for (const stream of staying) table.add(stream)

  for (let id = 20_000; id < 40_000; id += 1) {
    const stream = streamOf(id)
    table.add(stream)
    expect(table.get(id)).toBe(stream)
    table.delete(stream)
    expect(table.get(id)).toBe(undefined)
  }

  expect(table.size).toBe(5_000)
  expect(staying.every((stream) => table.get(stream.id) === stream)).toBe(true)
})
