import { env } from 'node:process'

import { expect, test } from 'vitest'

import { runSchedule } from './schedule.ts'

/** `SIM_SEED=… SIM_COUNT=… vitest run --root relay src/sim` runs those instead: one seed is one course of events. */
const { SIM_SEED, SIM_COUNT } = env
const firstSeed = Number(SIM_SEED ?? 1)
const count = Number(SIM_COUNT ?? (SIM_SEED === undefined ? 10_000 : 1))
const batch = 500

test(`${count} courses of events from seed ${firstSeed} on: bytes equal, each stream ends once, credit returns, one owner, no timer left`, async () => {
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const faults = runSchedule(seed)
    expect({ SIM_SEED: seed, faults }).toEqual({ SIM_SEED: seed, faults: [] })
    // The runner must hear of its worker now and then.
    if (seed % batch === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}, 600_000)
