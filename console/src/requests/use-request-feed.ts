import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import {
  OrganizationRequestsDocument,
  RequestCapturedDocument,
  TrafficEventsDocument,
  TunnelRequestsDocument,
} from '../gql/graphql.ts'
import type {
  OrganizationRequestsQuery,
  RequestCapturedSubscription,
  TrafficEventsSubscription,
  TunnelRequestsQuery,
} from '../gql/graphql.ts'
import { usePages } from '../graph/use-pages.ts'
import { useStream } from '../live/use-stream.ts'
import type { Arrival, Feed } from './request-feed.ts'
import {
  arrived,
  caughtUp,
  emptyFeed,
  heldCount,
  interrupted,
  paused,
  resumed,
  rowsOf,
} from './request-feed.ts'
import { matchesSearch, requestFilterOf } from './request-filter.ts'
import type { RequestSearch } from './request-filter.ts'

/** Requests come in bursts: the list is drawn at most this often. */
const flushEveryMs = 120
/** Above this many between two drawings, the list is drawn at once. */
const pendingMax = 200
/** How many requests keep the details that came with their event. */
const detailsMax = 300

export type ListedRequest = RequestCapturedSubscription['requestCaptured']['request']
export type DetailedRequest = TrafficEventsSubscription['trafficEvents']['request'] &
  Pick<ListedRequest, 'tunnel'>

const ofOrganization = (data: OrganizationRequestsQuery) => data.organization?.requests
const ofTunnel = (data: TunnelRequestsQuery) => data.tunnel?.requests

/** The stored requests and those that happen now, as one list. One tunnel's come as they end, all others once stored. */
export function useRequestFeed(organizationId: string, search: RequestSearch) {
  const { tunnel: tunnelId = null } = search
  const key = JSON.stringify([organizationId, search])
  const [state, setState] = useState<{ key: string; feed: Feed<ListedRequest> }>({
    key,
    feed: emptyFeed,
  })
  const feed = state.key === key ? state.feed : emptyFeed
  const update = useCallback(
    (change: (feed: Feed<ListedRequest>) => Feed<ListedRequest>) =>
      setState((old) => ({ key, feed: change(old.key === key ? old.feed : emptyFeed) })),
    [key],
  )

  const pages = useStoredRequests(organizationId, search)
  const push = useBatches(search, key, update)
  const details = useRef(new Map<string, DetailedRequest>())
  const cursor = useRef<string | null>(null)
  // A paused list stands still: what was lost meanwhile is read when it goes on.
  const isCatchUpDue = useRef(false)

  const restart = () => {
    update((old) => interrupted(old, new Date().toISOString()))
    isCatchUpDue.current = true
    if (!feed.isPaused) pages.refetch()
  }
  const organizationProblem = useStream({
    document: RequestCapturedDocument,
    key: organizationId,
    variables: tunnelId === null ? () => ({ organizationId, after: cursor.current }) : null,
    onEvent: ({ requestCaptured: { request, missed, cursor: at } }) => {
      cursor.current = at
      push({ request, missed })
    },
    onRestart: restart,
  })
  const tunnelProblem = useStream({
    document: TrafficEventsDocument,
    key: tunnelId ?? '',
    variables: tunnelId === null ? null : () => ({ tunnelId }),
    onEvent: ({ trafficEvents: { request, missed, tunnel } }) => {
      const whole = { ...request, tunnel }
      keepDetails(details.current, whole)
      push({ request: whole, missed })
    },
    onRestart: restart,
  })

  useEffect(() => {
    if (!isCatchUpDue.current || !pages.nodes || pages.fetching) return
    isCatchUpDue.current = false
    const { nodes, hasMore } = pages
    update((old) => caughtUp(old, nodes, hasMore))
  }, [pages.nodes, pages.fetching, update])

  const rows = useMemo(
    () => (pages.nodes ? rowsOf(feed, pages.nodes) : undefined),
    [feed, pages.nodes],
  )
  return {
    ...pages,
    answer: { data: pages.data, error: pages.error, fetching: pages.fetching },
    rows,
    isPaused: feed.isPaused,
    held: heldCount(feed),
    streamProblem: tunnelId === null ? organizationProblem : tunnelProblem,
    detailsOf: (id: string) => details.current.get(id) ?? null,
    pause: () => update(paused),
    resume: () => {
      update(resumed)
      if (isCatchUpDue.current) pages.refetch()
    },
    refetch: () => {
      isCatchUpDue.current = true
      pages.refetch()
    },
  }
}

function useStoredRequests(organizationId: string, search: RequestSearch) {
  const { tunnel: tunnelId } = search
  const filter = requestFilterOf(search)
  // Hooks cannot be chosen: both lists exist, and the one that is not shown asks for nothing.
  const all = usePages({
    document: OrganizationRequestsDocument,
    variables: { organizationId, filter },
    pick: ofOrganization,
    isPaused: tunnelId !== undefined,
  })
  const one = usePages({
    document: TunnelRequestsDocument,
    variables: { tunnelId: tunnelId ?? '', filter },
    pick: ofTunnel,
    isPaused: tunnelId === undefined,
  })
  if (tunnelId === undefined) return { ...all, tunnelName: null }
  return { ...one, tunnelName: one.data?.tunnel?.name ?? null }
}

/** Collects what the stream brings, and hands it on in batches that a screen can follow. */
function useBatches(
  search: RequestSearch,
  key: string,
  update: (change: (feed: Feed<ListedRequest>) => Feed<ListedRequest>) => void,
) {
  const pending = useRef<Arrival<ListedRequest>[]>([])
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)

  const flush = useCallback(() => {
    clearTimeout(timer.current)
    timer.current = undefined
    const batch = pending.current
    pending.current = []
    if (batch.length > 0) update((feed) => arrived(feed, batch))
  }, [update])

  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
      pending.current = []
    },
    [key],
  )

  return (arrival: Arrival<ListedRequest>) => {
    if (!matchesSearch(search, arrival.request)) return
    pending.current.push(arrival)
    if (pending.current.length >= pendingMax) flush()
    else timer.current ??= setTimeout(flush, flushEveryMs)
  }
}

function keepDetails(details: Map<string, DetailedRequest>, request: DetailedRequest): void {
  details.set(request.id, request)
  const oldest = details.keys().next()
  if (details.size > detailsMax && !oldest.done) details.delete(oldest.value)
}
