import { expect, test } from 'vitest'

import type { ConnectionEvent, ConnectionState } from './connection.ts'
import { nextConnection, offlineAfterMs } from './connection.ts'

const after = (...events: (readonly [number, ConnectionEvent])[]) =>
  events.reduce<ConnectionState>((state, [atMs, event]) => nextConnection(state, event, atMs), {
    kind: 'idle',
  }).kind
const connecting = { kind: 'connecting' } as const
const connected = { kind: 'connected' } as const
const lost = { kind: 'closed', isWanted: false } as const
const tick = { kind: 'tick' } as const

test('a connection that is up is called live', () => {
  expect(after([0, connecting], [5, connected])).toBe('live')
})

test('a lost one is reconnecting, and offline once that took long', () => {
  const down = [
    [0, connected],
    [10, lost],
    [20, connecting],
    [30, lost],
  ] as const
  expect(after(...down, [10 + offlineAfterMs - 1, tick])).toBe('reconnecting')
  expect(after(...down, [10 + offlineAfterMs, tick])).toBe('offline')
  expect(after(...down, [10 + offlineAfterMs, tick], [99_999, connected])).toBe('live')
})

test('a browser without a network is offline at once', () => {
  expect(after([0, connected], [1, { kind: 'network', isUp: false }])).toBe('offline')
})

test('a connection that nobody needs is not called lost', () => {
  expect(after([0, connected], [1, { kind: 'closed', isWanted: true }])).toBe('idle')
  expect(after([0, { kind: 'network', isUp: false }])).toBe('idle')
})
