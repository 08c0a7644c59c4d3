import { expect, test } from 'vitest'

import { createTunnelStatuses, statusesMax, withLiveStatus } from './tunnel-statuses.ts'

const event = (tunnelId: string, status: 'ONLINE' | 'OFFLINE' | 'STOPPED') => ({
  tunnelId,
  status,
  at: '2026-11-21T12:00:00.000Z',
  tunnel: null,
})
const loaded = { status: 'OFFLINE' as const, connections: 2, onlineSince: null }

test('the live word counts over what was loaded before it', () => {
  const statuses = createTunnelStatuses()
  statuses.record(event('t1', 'ONLINE'), 2_000)
  expect(withLiveStatus(loaded, statuses.of('t1'), 1_000).status).toBe('ONLINE')
})

test('what was loaded after the live word counts over it', () => {
  const statuses = createTunnelStatuses()
  statuses.record(event('t1', 'ONLINE'), 2_000)
  expect(withLiveStatus(loaded, statuses.of('t1'), 3_000)).toBe(loaded)
})

test('a tunnel without an agent has no connections', () => {
  const statuses = createTunnelStatuses()
  statuses.record(event('t1', 'STOPPED'), 2_000)
  expect(withLiveStatus(loaded, statuses.of('t1'), 1_000).connections).toBe(0)
})

test('the memory of statuses is bounded', () => {
  const statuses = createTunnelStatuses()
  for (let tunnel = 0; tunnel <= statusesMax; tunnel += 1)
    statuses.record(event(`t${tunnel}`, 'ONLINE'), 1)
  expect(statuses.of('t0')).toBeUndefined()
  expect(statuses.of(`t${statusesMax}`)).toBeDefined()
})
