import { env } from 'node:process'

import { afterAll, expect, test } from 'vitest'

import { Dice } from './dice.ts'
import { methods, requests, response } from './messages.ts'
import { NodeServer, nodeClient, ourClient, ourServer } from './parsers.ts'

/** `FUZZ_SEED=… FUZZ_COUNT=…` runs others, or more. */
const firstSeed = Number(env.FUZZ_SEED ?? 1)
const count = Number(env.FUZZ_COUNT ?? 60_000)

const server = new NodeServer()
afterAll(() => server.close())

test(`${count} runs of requests: what we accept, Node accepts with the same methods, targets, fields, bodies and borders`, async () => {
  let compared = 0
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const dice = new Dice(seed)
    const bytes = requests(dice)
    const ours = ourServer(dice.cut(bytes))
    const unknown = ours.messages.some(({ start }) => !methods.includes(start.split(' ')[0] ?? ''))
    if (unknown || ours.bytes === 0) continue
    compared += 1
    // Nothing behind what we took: a parser that sees another border misses bytes, or has some left.
    const taken = bytes.subarray(0, ours.bytes)
    const node = await server.read(dice.cut(taken), ours.messages.length)
    const input = taken.toString('latin1')
    expect({ seed, input, ...node }).toEqual({ seed, input, ...ours, broken: false })
  }
  // Else the generator makes nothing but refusals.
  expect(compared).toBeGreaterThan(count / 10)
}, 300_000)

test(`${Math.ceil(count / 3)} responses: what we accept from an upstream, Node reads in the same way`, async () => {
  let compared = 0
  for (let seed = firstSeed; seed < firstSeed + count / 3; seed += 1) {
    const dice = new Dice(-seed)
    const bytes = response(dice)
    const ours = ourClient(dice.cut(bytes))
    if (ours.broken) continue
    compared += 1
    const taken = bytes.subarray(0, ours.bytes)
    const node = await nodeClient(dice.cut(taken))
    const input = taken.toString('latin1')
    expect({ seed, input, ...node }).toEqual({ seed, input, ...ours })
  }
  expect(compared).toBeGreaterThan(count / 30)
}, 300_000)

test('bytes are read the same however they are cut', () => {
  for (let seed = firstSeed; seed < firstSeed + count / 20; seed += 1) {
    const dice = new Dice(seed)
    const bytes = requests(dice)
    const one = ourServer([bytes])
    const many = ourServer(dice.cut(bytes))
    const each = ourServer(Array.from(bytes, (byte) => Buffer.from([byte])))
    const input = bytes.toString('latin1')

    expect({ input, many, each }).toEqual({ input, many: one, each: one })
  }
})
