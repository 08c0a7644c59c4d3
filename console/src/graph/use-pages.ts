import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { useClient } from 'urql'
import { pipe, subscribe } from 'wonka'

import { useLive } from '../live/live-context.ts'
import type { Connection, PagesState } from './pages.ts'
import { createPages } from './pages.ts'

interface Paged {
  readonly after?: string | null | undefined
}

interface Options<D, V, N> {
  readonly document: TypedDocumentNode<D, V>
  readonly variables: V
  /** A constant of the module: a new function does not read the list anew. */
  readonly pick: (data: D) => Connection<N> | null | undefined
  /** Asks for nothing while set. */
  readonly isPaused?: boolean
}

type Pages<D, N> = ReturnType<typeof createPages<D, N>>

const loading: PagesState<never, never> = {
  data: undefined,
  error: undefined,
  fetching: true,
  nodes: undefined,
  hasMore: false,
  loadingMore: false,
  moreError: undefined,
  fetchedAtMs: 0,
}

/** A paged list of one document. Changed variables start it anew. */
export function usePages<D, V extends Paged, N>({
  document,
  variables,
  pick,
  isPaused = false,
}: Options<D, V, N>) {
  const client = useClient()
  const live = useLive()
  const key = JSON.stringify(variables)
  const [current, setCurrent] = useState<{ key: string; pages: Pages<D, N> } | null>(null)

  useEffect(() => {
    if (isPaused) return undefined
    const opened = createPages<D, N>({
      now: Date.now,
      pick,
      open(after, requestPolicy, sink) {
        const page = client.query<D, Paged>(document, { ...variables, after }, { requestPolicy })
        const opening = pipe(page, subscribe(sink))
        return () => opening.unsubscribe()
      },
    })
    setCurrent({ key, pages: opened })
    // A list that failed while the server was away comes back with it.
    const forget = live.onReconnected(() => {
      if (opened.state().error) opened.refetch()
    })
    return () => {
      forget()
      opened.close()
    }
    // `key` stands for the variables.
  }, [client, live, document, key, isPaused])

  // Rows of other variables are not shown for a moment under the new filter.
  const pages = current?.key === key ? current.pages : null
  const state = useSyncExternalStore(
    useCallback((listener: () => void) => pages?.subscribe(listener) ?? (() => {}), [pages]),
    () => pages?.state() ?? (loading as PagesState<D, N>),
  )
  const loadMore = useCallback(() => pages?.loadMore(), [pages])
  const refetch = useCallback(() => pages?.refetch(), [pages])
  return { ...state, loadMore, refetch }
}
