import { expect, test } from 'vitest'

import { assignEdges, evenly, type EdgeAssignment } from './assign-edges.ts'
import type { Relay } from './relay.entity.ts'

const now = new Date('2026-11-21T12:00:00Z')

function relay(id: string, region = 'eu', fields: Partial<Relay> = {}): Relay {
  const given = { id, region, pool: 'default', capacity: 1_000, connections: 0, sessions: 0 }
  return { ...given, draining: false, drainRequestedAt: null, lastSeenAt: now, ...fields } as Relay
}

/** Mulberry32: small, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function idsOf(relays: readonly Relay[]): string[] {
  return relays.map(({ id }) => id)
}

function assignment(fields: Partial<EdgeAssignment>): EdgeAssignment {
  return { ...evenly, ...fields }
}

test('regions get agents in proportion to their weights', () => {
  const relays = [relay('eu-1'), relay('us-1', 'us'), relay('ap-1', 'ap')]
  const regionWeights = new Map([
    ['eu', 3],
    ['us', 1],
    ['ap', 0],
  ])
  const random = seeded(7)
  const firsts = new Map<string, number>()
  for (let start = 0; start < 4_000; start += 1) {
    const order = idsOf(assignEdges(relays, null, now, assignment({ regionWeights }), random))
    firsts.set(order[0] ?? '', (firsts.get(order[0] ?? '') ?? 0) + 1)
    expect(order.at(-1)).toBe('ap-1')
  }

  expect((firsts.get('eu-1') ?? 0) / 4_000).toBeCloseTo(0.75, 1)
  expect((firsts.get('us-1') ?? 0) / 4_000).toBeCloseTo(0.25, 1)
})

test('relays of a region share agents that start at once in proportion to their room', () => {
  const relays = [relay('small', 'eu', { capacity: 100 }), relay('large', 'eu', { capacity: 300 })]
  const random = seeded(3)
  let large = 0
  for (let start = 0; start < 4_000; start += 1) {
    if (assignEdges(relays, 'eu', now, evenly, random)[0]?.id === 'large') large += 1
  }

  expect(large / 4_000).toBeCloseTo(0.75, 1)
})

test('a relay with less load comes before one with more', () => {
  const busy = relay('busy', 'eu', { connections: 600 })
  const held = relay('held', 'eu', { sessions: 300 })

  expect(idsOf(assignEdges([busy, held, relay('calm')], 'eu', now))).toEqual([
    'calm',
    'held',
    'busy',
  ])
})

test('no agent is sent to a relay that is leaving, lost or full', () => {
  const relays = [
    relay('draining', 'eu', { draining: true }),
    relay('told', 'eu', { drainRequestedAt: now }),
    relay('lost', 'eu', { lastSeenAt: new Date(now.getTime() - 60_000) }),
    relay('full', 'eu', { connections: 1_000 }),
    relay('left'),
  ]

  expect(idsOf(assignEdges(relays, 'eu', now))).toEqual(['left'])
  const none = () => assignEdges(relays.slice(0, -1), 'eu', now)
  expect(none).toThrow(expect.objectContaining({ code: 'SLUICE_RELAY_UNAVAILABLE' }))
})

test('a wanted region is left only for those that the operator has named, in that order', () => {
  const relays = [relay('us-1', 'us'), relay('ap-1', 'ap'), relay('sa-1', 'sa')]
  const failoverRegions = new Map([['eu', ['ap', 'us']]])

  expect(idsOf(assignEdges(relays, 'eu', now, assignment({ failoverRegions })))).toEqual([
    'ap-1',
    'us-1',
  ])
  expect(() => assignEdges(relays, 'eu', now)).toThrow(
    expect.objectContaining({ code: 'SLUICE_RELAY_UNAVAILABLE' }),
  )
})

test('the wanted region comes first, and those that stand in for it behind', () => {
  const relays = [relay('us-1', 'us'), relay('eu-1'), relay('eu-2')]
  const failoverRegions = new Map([['eu', ['us']]])

  const ids = idsOf(assignEdges(relays, 'eu', now, assignment({ failoverRegions })))

  expect(ids.slice(0, 2).toSorted()).toEqual(['eu-1', 'eu-2'])
  expect(ids.slice(2)).toEqual(['us-1'])
})

test('agents move to another pool when the operator names it first, or when the first has no relay', () => {
  const relays = [
    relay('blue-1', 'eu', { pool: 'blue' }),
    relay('green-1', 'eu', { pool: 'green' }),
  ]

  expect(idsOf(assignEdges(relays, null, now, assignment({ pools: ['green', 'blue'] })))).toEqual([
    'green-1',
  ])
  expect(idsOf(assignEdges(relays, null, now, assignment({ pools: ['red', 'blue'] })))).toEqual([
    'blue-1',
  ])
})
