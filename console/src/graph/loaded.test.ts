import { CombinedError } from '@urql/core'
import { expect, test } from 'vitest'

import { loadedOf } from './loaded.ts'
import { codeOf, problemAt } from './problem.ts'

interface Data {
  readonly organization: {
    readonly tunnels: { readonly nodes: readonly { readonly owner: string | null }[] } | null
    readonly usage: { readonly used: number } | null
  } | null
}

const errorAt = (...path: (string | number)[]) =>
  new CombinedError({
    graphQLErrors: [
      {
        message: 'A part of Sluice is not answering.',
        path,
        extensions: {
          code: 'SLUICE_SUBGRAPH_UNAVAILABLE',
          detail: 'It restarts.',
          fix: 'Wait.',
          type: 'https://docs.sluice.dev/errors/SLUICE_SUBGRAPH_UNAVAILABLE',
        },
      },
    ],
  })
const tunnelsOf = {
  path: 'organization.tunnels',
  pick: ({ organization }: Data) => organization?.tunnels?.nodes,
  isEmpty: (nodes: readonly unknown[]) => nodes.length === 0,
}
const usageOf = {
  path: 'organization.usage',
  pick: ({ organization }: Data) => organization?.usage,
}
const full: Data = { organization: { tunnels: { nodes: [{ owner: null }] }, usage: { used: 1 } } }
const still = { fetching: false }

test('a subgraph that is down fails its own panel and no other', () => {
  const data: Data = { organization: { tunnels: null, usage: { used: 1 } } }
  const answer = { data, error: errorAt('organization', 'tunnels'), ...still }

  expect(loadedOf(answer, tunnelsOf)).toMatchObject({
    kind: 'failed',
    problem: { code: 'SLUICE_SUBGRAPH_UNAVAILABLE', cause: 'It restarts.', fix: 'Wait.' },
  })
  expect(loadedOf(answer, usageOf)).toEqual({ kind: 'full', value: { used: 1 } })
})

test('a field that took the organization along tells its neighbours why', () => {
  const answer = { data: { organization: null }, error: errorAt('organization', 'sso'), ...still }

  expect(loadedOf(answer, usageOf)).toMatchObject({
    kind: 'failed',
    problem: { code: 'SLUICE_SUBGRAPH_UNAVAILABLE' },
  })
})

test('a field of one row that failed leaves the list readable', () => {
  const error = errorAt('organization', 'tunnels', 'nodes', 0, 'owner')
  expect(loadedOf({ data: full, error, ...still }, tunnelsOf).kind).toBe('full')
})

test('the organization that failed fails every panel of it', () => {
  const answer = { data: { organization: null }, error: errorAt('organization'), ...still }
  expect([loadedOf(answer, tunnelsOf).kind, loadedOf(answer, usageOf).kind]).toEqual([
    'failed',
    'failed',
  ])
})

test('a server that does not answer is told with code and reason', () => {
  const error = new CombinedError({ networkError: new Error('Failed to fetch') })
  expect(loadedOf({ data: undefined, error, ...still }, tunnelsOf)).toMatchObject({
    kind: 'failed',
    problem: {
      code: 'SLUICE_GATEWAY_UNREACHABLE',
      cause: expect.stringContaining('Failed to fetch.'),
    },
  })
})

test('null without an error reads as missing, as a foreign id does', () => {
  expect(
    loadedOf({ data: { organization: null }, error: undefined, ...still }, tunnelsOf),
  ).toMatchObject({
    kind: 'failed',
    problem: { code: 'SLUICE_ORGANIZATION_NOT_FOUND' },
  })
})

test('the states come in order: loading, then empty, then full', () => {
  const empty: Data = { organization: { tunnels: { nodes: [] }, usage: null } }
  expect(loadedOf({ data: undefined, error: undefined, fetching: true }, tunnelsOf).kind).toBe(
    'loading',
  )
  expect(loadedOf({ data: empty, error: undefined, ...still }, tunnelsOf).kind).toBe('empty')
  expect(loadedOf({ data: full, error: undefined, ...still }, tunnelsOf).kind).toBe('full')
})

test('what was read stays readable while it is read again', () => {
  expect(loadedOf({ data: full, error: undefined, fetching: true }, tunnelsOf).kind).toBe('full')
})

test('a link of an error leads to the console’s own page of the code or nowhere', () => {
  const docsUrlOf = (code: string) =>
    problemAt(
      new CombinedError({
        graphQLErrors: [{ message: 'x', extensions: { code, type: 'javascript:alert(1)' } }],
      }),
    )?.docsUrl
  expect(docsUrlOf('SLUICE_TUNNELS_MAX')).toBe('/errors/SLUICE_TUNNELS_MAX')
  expect(docsUrlOf('SLUICE_OF_A_LATER_RELEASE')).toBeNull()
})

test('a code whose details are not at hand reads without braces', () => {
  const { title, cause } = codeOf('SLUICE_UPSTREAM_REFUSED', {})
  expect(`${title} ${cause}`).not.toMatch(/[{}]/)
})
