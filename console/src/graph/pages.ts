import type { CombinedError, RequestPolicy } from '@urql/core'

interface PageInfo {
  readonly hasNextPage: boolean
  readonly endCursor?: string | null | undefined
}

export interface Connection<N> {
  readonly nodes: readonly N[]
  readonly pageInfo: PageInfo
}

interface PageAnswer<D> {
  readonly data?: D | undefined
  readonly error?: CombinedError | undefined
  /** It came from the cache and is being asked for again. */
  readonly stale: boolean
}

/** Subscribes to one page; `sink` gets every answer, from the cache or the network. */
export type OpenPage<D> = (
  after: string | null,
  policy: RequestPolicy,
  sink: (answer: PageAnswer<D>) => void,
) => () => void

export interface PagesState<D, N> {
  /** The first page's answer: what a list shows beside its rows is read from it. */
  readonly data: D | undefined
  readonly error: CombinedError | undefined
  readonly fetching: boolean
  /** Undefined until the first page has come. */
  readonly nodes: readonly N[] | undefined
  readonly hasMore: boolean
  readonly loadingMore: boolean
  readonly moreError: CombinedError | undefined
  /** When the first page last came from the server, in ms; 0 before. */
  readonly fetchedAtMs: number
}

interface Options<D, N> {
  readonly open: OpenPage<D>
  readonly pick: (data: D) => Connection<N> | null | undefined
  readonly now: () => number
}

interface Page<D> {
  readonly after: string | null
  data: D | undefined
  error: CombinedError | undefined
  fetching: boolean
  fetchedAtMs: number
  close: () => void
}

/** A page costs a subscription to the cache; nobody reads further than this by hand. */
const pagesMax = 40

/** A list read page by page with a keyset cursor: rows that appear meanwhile do not shift the pages. */
export function createPages<D, N>({ open, pick, now }: Options<D, N>) {
  const listeners = new Set<() => void>()
  let pages: Page<D>[] = []
  let state = stateOf(pages, pick)

  const publish = () => {
    state = stateOf(pages, pick)
    for (const listener of listeners) listener()
  }

  // Rows that came meanwhile move the end of a page: what follows no longer joins on, and would hide rows.
  const dropBroken = () => {
    const broken = pages.findIndex(({ data }, index) => {
      const following = pages[index + 1]
      const end = data && pick(data)?.pageInfo.endCursor
      return following !== undefined && data !== undefined && end !== following.after
    })
    if (broken === -1) return
    for (const page of pages.slice(broken + 1)) page.close()
    pages = pages.slice(0, broken + 1)
  }

  const load = (page: Page<D>, policy: RequestPolicy) => {
    page.close()
    page.fetching = true
    page.close = open(page.after, policy, ({ data, error, stale }) => {
      page.data = data ?? (error ? undefined : page.data)
      page.error = error
      page.fetching = stale
      if (!stale) page.fetchedAtMs = now()
      dropBroken()
      publish()
    })
  }

  const add = (after: string | null) => {
    const page: Page<D> = {
      after,
      data: undefined,
      error: undefined,
      fetching: true,
      fetchedAtMs: 0,
      close: () => {},
    }
    pages = [...pages, page]
    load(page, 'cache-and-network')
    publish()
  }

  add(null)

  return {
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    loadMore() {
      const last = pages.at(-1)
      if (!last || pages.length >= pagesMax) return
      // A page that failed is asked for again; it keeps its cursor.
      if (last.error && pages.length > 1) load(last, 'network-only')
      const info = last.data && pick(last.data)?.pageInfo
      if (!last.error && info?.hasNextPage && info.endCursor) add(info.endCursor)
      publish()
    },
    refetch() {
      for (const page of pages) load(page, 'network-only')
      publish()
    },
    close() {
      for (const page of pages) page.close()
      listeners.clear()
    },
  }
}

function stateOf<D, N>(pages: readonly Page<D>[], pick: Options<D, N>['pick']): PagesState<D, N> {
  const first = pages[0]
  const last = pages.at(-1)
  const connections = pages.map(({ data }) => (data ? pick(data) : undefined))
  const hasRows = connections[0] !== undefined && connections[0] !== null
  const lastInfo = connections.at(-1)?.pageInfo
  const isMore = pages.length > 1
  return {
    data: first?.data,
    error: first?.error,
    fetching: first?.fetching ?? true,
    nodes: hasRows ? connections.flatMap((each) => each?.nodes ?? []) : undefined,
    hasMore: pages.length < pagesMax && (lastInfo?.hasNextPage ?? isMore),
    loadingMore: isMore && last !== undefined && last.fetching && !last.data,
    moreError: isMore ? last?.error : undefined,
    fetchedAtMs: first?.fetchedAtMs ?? 0,
  }
}
