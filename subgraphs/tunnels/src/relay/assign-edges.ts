import { SluiceError } from '@sluice/schema/errors'

import type { Relay } from './relay.entity.ts'
import { relayStatus } from './relay.ts'

/** How the operator wants agents to be spread over relays. */
export interface EdgeAssignment {
  /** Pools of relays that agents are sent to: the first one with a relay that is ready. Undefined: all relays are one. */
  readonly pools?: readonly string[] | undefined
  /** Shares of regions among agents that asked for none; 1 for those not named, 0 for a last resort. */
  readonly regionWeights: ReadonlyMap<string, number>
  /** Where agents of a region go when none of its relays is left, in this order. */
  readonly failoverRegions: ReadonlyMap<string, readonly string[]>
}

export const evenly: EdgeAssignment = { regionWeights: new Map(), failoverRegions: new Map() }

const edgesMax = 4
const failoverEdgesMax = 2
/** Loads that differ by less than this are the same: heartbeats are seconds old. */
const loadStep = 0.05

/**
 * The relays an agent may dial, in this order. Those of the wanted region alone, and of the regions that the operator has
 * named to stand in for it: a region is chosen for latency or for law, and falling back in silence would break both.
 */
export function assignEdges(
  relays: readonly Relay[],
  wanted: string | null,
  now: Date,
  assignment: EdgeAssignment = evenly,
  random: () => number = Math.random,
): Relay[] {
  const byRegion = Map.groupBy(readyOf(relays, now, assignment), ({ region }) => region)
  const inRegion = (region: string): Relay[] => byLoad(byRegion.get(region) ?? [], random)
  const [first, ...others] =
    wanted === null
      ? byWeight([...byRegion.keys()], assignment.regionWeights, random)
      : [wanted, ...(assignment.failoverRegions.get(wanted) ?? [])]
  const near = inRegion(first ?? '').slice(0, edgesMax)
  const far = others.flatMap(inRegion).slice(0, near.length > 0 ? failoverEdgesMax : edgesMax)
  if (near.length + far.length === 0) throw new SluiceError('SLUICE_RELAY_UNAVAILABLE')
  return [...near, ...far]
}

/** Those that take agents: heard of, not leaving, with room, and of the first pool that has any. */
function readyOf(relays: readonly Relay[], now: Date, { pools }: EdgeAssignment): Relay[] {
  const ready = relays.filter((relay) => relayStatus(relay, now) === 'READY' && loadOf(relay) < 1)
  if (!pools) return ready
  for (const pool of pools) {
    const own = ready.filter((relay) => relay.pool === pool)
    if (own.length > 0) return own
  }
  return []
}

/** The least loaded first. Equals in a random order in which room counts: agents that start together must not all go to one. */
function byLoad(relays: readonly Relay[], random: () => number): Relay[] {
  const keyed = relays.map((relay) => ({
    relay,
    step: Math.floor(loadOf(relay) / loadStep),
    key: keyOf(relay.capacity * (1 - loadOf(relay)), random),
  }))
  return keyed.toSorted((a, b) => a.step - b.step || b.key - a.key).map(({ relay }) => relay)
}

/** A random order in which each region comes first in proportion to its weight. */
function byWeight(
  regions: readonly string[],
  weights: ReadonlyMap<string, number>,
  random: () => number,
): string[] {
  const keyed = regions.map((region) => ({ region, key: keyOf(weights.get(region) ?? 1, random) }))
  return keyed.toSorted((a, b) => b.key - a.key).map(({ region }) => region)
}

/** Sorting by such keys, the largest first, draws without replacement by weight (Efraimidis and Spirakis 2006). */
function keyOf(weight: number, random: () => number): number {
  return weight > 0 ? random() ** (1 / weight) : -random()
}

function loadOf({ connections, sessions, capacity }: Relay): number {
  return Math.max(connections, sessions) / capacity
}
