import { expect, test } from 'vitest'

import type { Feed, FeedRequest } from './request-feed.ts'
import {
  arrived,
  caughtUp,
  emptyFeed,
  gapsMax,
  heldCount,
  heldRequestsMax,
  interrupted,
  liveRequestsMax,
  paused,
  resumed,
  rowsOf,
} from './request-feed.ts'

const at = (second: number) => new Date(1_760_000_000_000 + second * 1000).toISOString()
const request = (second: number): FeedRequest => ({ id: `r${second}`, startedAt: at(second) })
const arrival = (second: number, missed = 0) => ({ request: request(second), missed })
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index)
const shown = (feed: Feed<FeedRequest>, stored: readonly FeedRequest[] = []) =>
  rowsOf(feed, stored).map((row) =>
    row.kind === 'request' ? row.request.id : `${row.gap.reason} ${row.gap.missed}`,
  )

test('the newest request stands on top, whatever the order in which they came', () => {
  const feed = arrived(arrived(emptyFeed, [arrival(2), arrival(1)]), [arrival(3)])
  expect(shown(feed)).toEqual(['r3', 'r2', 'r1'])
})

test('a request that is both stored and live shows once', () => {
  const feed = arrived(emptyFeed, [arrival(2), arrival(2), arrival(3)])
  expect(shown(feed, [request(2), request(1)])).toEqual(['r3', 'r2', 'r1'])
})

test('a paused list stands still and counts what is new', () => {
  const before = paused(arrived(emptyFeed, [arrival(1)]))
  const feed = arrived(before, [arrival(2), arrival(3)])

  expect(shown(feed)).toEqual(['r1'])
  expect(heldCount(feed)).toBe(2)
  expect(shown(resumed(feed))).toEqual(['r3', 'r2', 'r1'])
  expect(heldCount(resumed(feed))).toBe(0)
})

test('a stored page that comes while paused does not let held requests through', () => {
  const feed = arrived(paused(emptyFeed), [arrival(2)])
  expect(shown(feed, [request(2), request(1)])).toEqual(['r1'])
})

test('what a long pause had to drop is counted and shown as a gap', () => {
  const all = range(0, heldRequestsMax + 40).map((second) => arrival(second))
  const feed = arrived(paused<FeedRequest>(emptyFeed), all)

  expect(feed.held).toHaveLength(heldRequestsMax)
  expect(heldCount(feed)).toBe(heldRequestsMax + 40)
  expect(shown(resumed(feed)).at(-1)).toBe('slow 40')
})

test('requests that the server dropped leave a gap just before the next one', () => {
  const feed = arrived(emptyFeed, [arrival(1), arrival(9, 7)])
  expect(shown(feed)).toEqual(['r9', 'slow 7', 'r1'])
})

test('the live list is bounded, and the hole above the stored requests is visible', () => {
  let feed: Feed<FeedRequest> = emptyFeed
  for (const second of range(10, 10 + liveRequestsMax + 25)) feed = arrived(feed, [arrival(second)])

  const rows = shown(feed, [request(1)])

  expect(feed.live).toHaveLength(liveRequestsMax)
  expect(rows.slice(-2)).toEqual(['bound 25', 'r1'])
})

test('gaps are bounded too', () => {
  let feed: Feed<FeedRequest> = emptyFeed
  for (const second of range(0, gapsMax * 3)) feed = arrived(feed, [arrival(second, 1)])
  expect(feed.gaps).toHaveLength(gapsMax)
})

test('a lost connection leaves a gap until the log was read again', () => {
  const lost = interrupted(arrived(emptyFeed, [arrival(1), arrival(2)]), at(3))
  const feed = arrived(lost, [arrival(5)])
  expect(shown(feed)).toEqual(['r5', 'lost null', 'r2', 'r1'])

  const stored = [request(5), request(4), request(3), request(2)]
  expect(shown(caughtUp(feed, stored, true), stored)).toEqual(['r5', 'r4', 'r3', 'r2', 'r1'])
})

test('after a long absence only what joins the stored requests stays, so that nothing is hidden between', () => {
  const feed = arrived(
    emptyFeed,
    range(0, 20).map((second) => arrival(second)),
  )
  const stored = range(100, 150)
    .map((second) => request(second))
    .toReversed()

  expect(shown(caughtUp(feed, stored, true), stored)).toHaveLength(50)
})

test('a short log covers everything: all gaps close', () => {
  const feed = interrupted(arrived(emptyFeed, [arrival(4)]), at(6))
  expect(caughtUp(feed, [request(7)], false).gaps).toEqual([])
})

test('nothing new changes nothing, so that nothing is drawn', () => {
  const feed = arrived(emptyFeed, [arrival(1)])
  expect(arrived(feed, [arrival(1)])).toBe(feed)
})
