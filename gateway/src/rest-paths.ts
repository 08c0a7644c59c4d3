import type { SubgraphName } from '@sluice/kit/internal-token'

/** Paths that are not of the graph, because a protocol or a program outside demands them. */
export interface RestPath {
  /** Ends with a slash: everything below. */
  readonly prefix: string
  readonly subgraph: SubgraphName
  /** They have the path, too: a GET is answered by one JSON object, with the answer of each under its name. */
  readonly joins?: readonly SubgraphName[]
  /**
   * `gateway`: `Authorization` is decided here as for the graph, and the subgraph is told who asks; nobody is told of
   * cookies. `subgraph`: the header travels on as it is, for a credential that only the subgraph knows. `browser`: a
   * browser is led here by another site; our own cookies travel, and no other credential counts.
   */
  readonly credential: 'gateway' | 'subgraph' | 'browser'
  readonly bodyBytesMax: number
}

export const restPaths: readonly RestPath[] = [
  {
    prefix: '/v1/account/export',
    subgraph: 'identity',
    joins: ['tunnels', 'domains', 'billing'],
    credential: 'gateway',
    bodyBytesMax: 0,
  },
  { prefix: '/auth/', subgraph: 'identity', credential: 'browser', bodyBytesMax: 256 * 1024 },
  { prefix: '/scim/v2/', subgraph: 'identity', credential: 'subgraph', bodyBytesMax: 1024 * 1024 },
  { prefix: '/v1/admin/', subgraph: 'identity', credential: 'gateway', bodyBytesMax: 1024 * 1024 },
  { prefix: '/v1/auth/', subgraph: 'identity', credential: 'gateway', bodyBytesMax: 64 * 1024 },
]
