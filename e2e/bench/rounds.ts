import type { LoadResult } from './load-driver.ts'
import { cpuSecondsOf } from './process.ts'

/** One way from the driver to the upstream, and the processes in between. */
export interface Way<Name extends string = string> {
  readonly name: Name
  readonly port: number
  readonly pids: readonly number[]
}

export interface Measured extends LoadResult {
  readonly cpuMicroseconds: number
}

export type Results<Name extends string> = ReadonlyMap<Name, readonly Measured[]>

/** Takes turns, so that a noisy moment of the machine meets all ways. */
export async function alternate<Name extends string, One extends Way<Name>>(
  ways: readonly One[],
  rounds: number,
  run: (way: One) => Promise<LoadResult>,
): Promise<Results<Name>> {
  const results = new Map<Name, Measured[]>(ways.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ways) {
      const before = cpuSecondsOf(way.pids)
      const result = await run(way)
      const cpuSeconds = cpuSecondsOf(way.pids) - before
      const cpuMicroseconds = (cpuSeconds * 1e6) / Math.max(1, result.requests)
      results.get(way.name)?.push({ ...result, cpuMicroseconds })
    }
  }
  return results
}

export const rpsOf = (one: Measured): number => one.requests / one.seconds
export const mbpsOf = (one: Measured): number => one.bytes / 1e6 / one.seconds
export const cpuOf = (one: Measured): number => one.cpuMicroseconds

export function medianOf<Name extends string>(
  results: Results<Name>,
  name: Name,
  value: (one: Measured) => number,
): number {
  return median((results.get(name) ?? []).map(value))
}

/** Of the same round each, then the median: rounds see the machine in different moments. */
export function ratio<Name extends string>(
  results: Results<Name>,
  name: Name,
  other: Name,
  value: (one: Measured) => number,
): number {
  const others = results.get(other) ?? []
  return median(
    (results.get(name) ?? []).map((one, round) => value(one) / value(others[round] ?? one)),
  )
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
