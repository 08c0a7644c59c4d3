import { CombinedError } from '@urql/core'
import { expect, test } from 'vitest'

import type { Connection, OpenPage } from './pages.ts'
import { createPages } from './pages.ts'

type Data = Connection<string>

/** Pages whose answers are given by hand. */
function createScene() {
  const open = new Map<string, Parameters<OpenPage<Data>>[2]>()
  const closed: string[] = []
  const asked: string[] = []
  const pages = createPages<Data, string>({
    now: () => 1_000,
    pick: (data) => data,
    open(after, policy, sink) {
      const key = after ?? 'start'
      asked.push(`${key} ${policy}`)
      open.set(key, sink)
      return () => closed.push(key)
    },
  })
  return {
    pages,
    closed,
    asked,
    answer: (key: string, nodes: string[], endCursor: string | null) => {
      const pageInfo = { hasNextPage: endCursor !== null, endCursor }
      open.get(key)?.({ data: { nodes, pageInfo }, error: undefined, stale: false })
    },
    refuse: (key: string) => {
      const error = new CombinedError({ networkError: new Error('gone') })
      open.get(key)?.({ data: undefined, error, stale: false })
    },
  }
}

test('pages follow each other by cursor', () => {
  const { pages, answer } = createScene()
  expect(pages.state()).toMatchObject({ nodes: undefined, fetching: true, hasMore: false })

  answer('start', ['a', 'b'], 'B')
  expect(pages.state()).toMatchObject({ nodes: ['a', 'b'], hasMore: true })

  pages.loadMore()
  expect(pages.state()).toMatchObject({ nodes: ['a', 'b'], loadingMore: true })

  answer('B', ['c'], null)
  expect(pages.state()).toMatchObject({
    nodes: ['a', 'b', 'c'],
    hasMore: false,
    loadingMore: false,
  })
})

test('rows that moved the end of a page drop the pages after it, so that none is hidden between', () => {
  const { pages, answer, closed } = createScene()
  answer('start', ['a', 'b'], 'B')
  pages.loadMore()
  answer('B', ['c'], null)

  pages.refetch()
  answer('start', ['new', 'a'], 'A')

  expect(pages.state()).toMatchObject({ nodes: ['new', 'a'], hasMore: true })
  expect(closed).toContain('B')
})

test('a page that failed leaves the rows before it, and is asked for again', () => {
  const { pages, answer, refuse, asked } = createScene()
  answer('start', ['a'], 'A')
  pages.loadMore()
  refuse('A')
  expect(pages.state()).toMatchObject({ nodes: ['a'], hasMore: true })
  expect(pages.state().moreError).toBeDefined()

  pages.loadMore()
  answer('A', ['b'], null)
  expect(pages.state()).toMatchObject({ nodes: ['a', 'b'], moreError: undefined })
  expect(asked.at(-1)).toBe('A network-only')
})

test('closing closes every page', () => {
  const { pages, answer, closed } = createScene()
  answer('start', ['a'], 'A')
  pages.loadMore()
  pages.close()
  expect(closed.toSorted()).toEqual(['A', 'start'])
})
