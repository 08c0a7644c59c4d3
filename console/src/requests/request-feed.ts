/** What the feed must know of a request; pages show more of it. */
export interface FeedRequest {
  readonly id: string
  /** ISO time in UTC with milliseconds, so that text order is time order. */
  readonly startedAt: string
}

/** A place in the list where requests are missing. */
export interface Gap {
  readonly id: string
  /** Just older than what started at this time. */
  readonly at: string
  /** How many, when that is known. */
  readonly missed: number | null
  readonly reason: 'slow' | 'lost' | 'bound'
}

export type Row<R> =
  | { readonly kind: 'request'; readonly request: R }
  | { readonly kind: 'gap'; readonly gap: Gap }

export interface Arrival<R> {
  readonly request: R
  /** How many the server dropped before this one because this reader was slow. */
  readonly missed: number
}

export interface Feed<R> {
  readonly isPaused: boolean
  /** Newest first. */
  readonly live: readonly R[]
  readonly gaps: readonly Gap[]
  /** What came while paused, oldest first. */
  readonly held: readonly Arrival<R>[]
  /** How many came while paused and no longer fit. */
  readonly heldDropped: number
}

export const liveRequestsMax = 300
export const heldRequestsMax = 300
export const gapsMax = 20

export const emptyFeed: Feed<never> = {
  isPaused: false,
  live: [],
  gaps: [],
  held: [],
  heldDropped: 0,
}

/** Takes in what the stream brought, oldest first. A paused list stands still and counts. */
export function arrived<R extends FeedRequest>(
  feed: Feed<R>,
  arrivals: readonly Arrival<R>[],
): Feed<R> {
  const known = new Set(
    [...feed.live, ...feed.held.map(({ request }) => request)].map(({ id }) => id),
  )
  const fresh = arrivals.filter(({ request }) => !known.has(request.id) && known.add(request.id))
  if (fresh.length === 0) return feed
  if (!feed.isPaused) return show(feed, fresh)

  const held = [...feed.held, ...fresh]
  const over = Math.max(0, held.length - heldRequestsMax)
  const lost = held.slice(0, over).reduce((sum, { missed }) => sum + missed + 1, 0)
  return { ...feed, held: held.slice(over), heldDropped: feed.heldDropped + lost }
}

export function paused<R>(feed: Feed<R>): Feed<R> {
  return { ...feed, isPaused: true }
}

/** Goes on live: what was held is shown, with a gap where it did not fit. */
export function resumed<R extends FeedRequest>(feed: Feed<R>): Feed<R> {
  const [first, ...rest] = feed.held
  const open = { ...feed, isPaused: false, held: [], heldDropped: 0 }
  if (!first) return open
  return show(open, [{ ...first, missed: first.missed + feed.heldDropped }, ...rest])
}

/** Marks that the stream was lost: until the list is read again, something may be missing here. */
export function interrupted<R>(feed: Feed<R>, at: string): Feed<R> {
  return withGap(feed, { id: `lost ${at}`, at, missed: null, reason: 'lost' })
}

/** The newest stored requests were read again. Gaps that they cover are closed. */
export function caughtUp<R extends FeedRequest>(
  feed: Feed<R>,
  stored: readonly R[],
  hasMore: boolean,
): Feed<R> {
  const oldest = stored.at(-1)?.startedAt ?? ''
  const gaps = feed.gaps.filter(({ at }) => hasMore && at < oldest)
  if (!hasMore) return { ...feed, gaps }
  // Without one in common there is a hole between them, and only the stored ones can be read on from.
  const ids = new Set(stored.map(({ id }) => id))
  const joins = feed.live.length === 0 || feed.live.some(({ id }) => ids.has(id))
  const newer = feed.live.filter(({ startedAt }) => startedAt >= oldest)
  return { ...feed, live: joins ? feed.live : newer, gaps: joins ? gaps : [] }
}

/** How many requests a paused list has not shown. */
export function heldCount<R>({ held, heldDropped }: Feed<R>): number {
  return held.length + heldDropped
}

/** The list as it is shown, newest first: live and stored requests once each, gaps where they belong. */
export function rowsOf<R extends FeedRequest>(feed: Feed<R>, stored: readonly R[]): Row<R>[] {
  const byId = new Map<string, R>()
  for (const request of feed.live) byId.set(request.id, request)
  const hidden = new Set(feed.held.map(({ request }) => request.id))
  for (const request of stored) {
    if (!byId.has(request.id) && !hidden.has(request.id)) byId.set(request.id, request)
  }
  const requests = [...byId.values()].toSorted(newestFirst)
  const gaps = feed.gaps.toSorted((a, b) => (a.at < b.at ? 1 : -1))

  const rows: Row<R>[] = []
  let next = 0
  for (const request of requests) {
    for (let gap = gaps[next]; gap && gap.at > request.startedAt; gap = gaps[++next]) {
      rows.push({ kind: 'gap', gap })
    }
    rows.push({ kind: 'request', request })
  }
  for (const gap of gaps.slice(next)) rows.push({ kind: 'gap', gap })
  return rows
}

function show<R extends FeedRequest>(feed: Feed<R>, arrivals: readonly Arrival<R>[]): Feed<R> {
  let next = feed
  for (const { request, missed } of arrivals) {
    if (missed === 0) continue
    const { id, startedAt } = request
    next = withGap(next, { id: `slow ${id}`, at: startedAt, missed, reason: 'slow' })
  }
  const live = [...arrivals.map(({ request }) => request), ...feed.live].toSorted(newestFirst)
  const over = live.length - liveRequestsMax
  const kept = live.slice(0, liveRequestsMax)
  const oldest = kept.at(-1)
  if (over <= 0 || !oldest) return { ...next, live }

  // The rows that no longer fit leave a hole above the stored ones: it must be seen.
  const before = next.gaps.find(({ reason }) => reason === 'bound')
  const gaps = next.gaps.filter(({ reason }) => reason !== 'bound')
  const bound: Gap = {
    id: 'bound',
    at: oldest.startedAt,
    missed: (before?.missed ?? 0) + over,
    reason: 'bound',
  }
  return withGap({ ...next, gaps, live: kept }, bound)
}

function withGap<R>(feed: Feed<R>, gap: Gap): Feed<R> {
  return { ...feed, gaps: [...feed.gaps, gap].slice(-gapsMax) }
}

function newestFirst(a: FeedRequest, b: FeedRequest): number {
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? 1 : -1
  return a.id < b.id ? 1 : -1
}
