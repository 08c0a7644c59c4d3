export interface Page {
  readonly first: number
  readonly after?: string | null
}

/** Keyset paging by position: good enough where nothing moves. */
export function pageOf<N>(all: readonly N[], { first, after }: Page) {
  const start = after ? Number(after) : 0
  const nodes = all.slice(start, start + first)
  const end = start + nodes.length
  return {
    nodes,
    edges: [],
    pageInfo: {
      hasNextPage: end < all.length,
      hasPreviousPage: start > 0,
      startCursor: String(start),
      endCursor: String(end),
    },
  }
}
