/** Numbers that a seed decides (mulberry32), so that a failing case can be run again. */
export interface Random {
  /** From 0 to below 1. */
  next(): number
  chance(share: number): boolean
  below(max: number): number
  pick<T>(from: readonly T[]): T
}

export function randomFrom(seed: string): Random {
  let state = 2_166_136_261
  for (let at = 0; at < seed.length; at += 1) {
    state = Math.imul(state ^ seed.charCodeAt(at), 16_777_619)
  }
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    chance: (share) => next() < share,
    below: (max) => Math.floor(next() * max),
    pick: (from) => from[Math.floor(next() * from.length)] as never,
  }
}
